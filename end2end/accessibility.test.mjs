// Every page in every state, light and dark, narrow and wide: no serious finding of axe, no sideways scroll, nothing
// that moves by itself, and a purchase with the keyboard alone.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { checkoutOf, freshMail, inState, newestOrder, openCheckout, password, plan, signIn, signUp } from './steps.mjs'

const { story } = stage()
story('axe and the ruler see a planted fault', async ({ visit }) => {
  const { page } = await visit({ width: 320 })
  await page.goto('/sign-in')
  assert.deepEqual([await findings(page), (await overflow(page)).excess], [[], 0])
  await page.locator('main').evaluate((main) => {
    main.append(document.createElement('button'), document.createElement('hr'))
    main.lastElementChild.style.width = '500px'
  })
  assert.match((await findings(page)).join(), /button-name/)
  assert.ok((await overflow(page)).excess > 0)
})

/** Somebody with an order in each state. */
let everything
async function buyerWithEverything(stack, visit) {
  if (everything) return everything
  const buyer = await visit({ javascript: false })
  const { page } = buyer
  const email = await signUp(buyer)
  const orders = {}
  const open = async (state, name, decide) => {
    await openCheckout(buyer, name)
    const { id } = await newestOrder(stack, email)
    await decide?.(checkoutOf(page))
    await page.goto('/')
    orders[state] = id
  }
  await open('paid', 'Starter', (checkout) => stack.control('pay', { checkout_id: checkout }))
  await open('failed', 'Starter', (checkout) => stack.control('pay', { checkout_id: checkout, outcome: 'insufficient_funds' }))
  await open('processing', 'Pro', (checkout) => stack.control('pay', { checkout_id: checkout, outcome: 'pending' }))
  await open('opened', 'Pro')
  await open('expired', 'Pro')
  await open('under_review', 'Starter')
  for (const state of ['expired', 'under_review']) {
    await stack.sql`update credit_orders set state = ${state}, changed_at = now() where id = ${orders[state]} returning id`
  }
  await page.goto('/credits')
  await plan(page, 'Enterprise').getByText('Ask for an offer').click()
  await plan(page, 'Enterprise').getByRole('button', { name: 'Request credits' }).click()
  await inState(page, 'requested').waitFor()
  orders.requested = (await newestOrder(stack, email)).id
  for (const [state, id] of Object.entries(orders)) {
    await waitFor(async () => (await stack.order(id)).state === state, `an order that is ${state}`)
  }
  const [{ id: transaction }] = await stack.sql`select id from credit_transactions where order_id = ${orders.paid}`
  everything = { email, orders, transaction, storageState: await buyer.context.storageState() }
  return everything
}

const forNobody = ['/', '/sign-in', '/sign-up', '/nowhere']

function pathsFor({ orders, transaction }) {
  const states = Object.entries(orders).map(([state, id]) => [`/payment/status?order=${id}`, state])
  return [
    ['/credits'], ['/transactions'], ['/transactions?direction=out'], [`/transactions/${transaction}`], ['/account'], ['/account/delete'],
    [`/receipt/${orders.paid}`], ...states, [`/payment/status?order=${orders.opened}&payment_id=pay_1`, 'opened'],
  ]
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`axe finds nothing serious, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const made = await buyerWithEverything(stack, visit)
      const found = []
      const look = async (visitor, path, state) => {
        await visitor.page.goto(path)
        if (state) await inState(visitor.page, state).waitFor()
        await visitor.awake()
        for (const finding of await findings(visitor.page)) found.push(`${state ?? path}: ${finding}`)
      }
      const nobody = await visit({ colorScheme, width })
      nobody.expected.push(/status of 404/)
      for (const path of forNobody) await look(nobody, path)
      // A form with everything wrong.
      await nobody.page.goto('/sign-up')
      await nobody.page.getByLabel('Email').fill('ana@nowhere')
      await nobody.page.getByLabel('Password').fill('short')
      await nobody.page.getByRole('button', { name: 'Create account' }).click()
      await nobody.page.getByRole('group', { name: 'Please mend this first' }).waitFor()
      for (const finding of await findings(nobody.page)) found.push(`sign-up with errors: ${finding}`)

      const buyer = await visit({ colorScheme, width, storageState: made.storageState })
      for (const [path, state] of pathsFor(made)) await look(buyer, path, state)
      const admin = await visit({ colorScheme, width })
      await signIn(admin, 'admin@example.com', 'admin-demo-password')
      await admin.page.waitForURL('**/credits')
      await look(admin, '/admin')
      // The opened menu, and what is folded away.
      await buyer.page.goto('/credits')
      await buyer.page.getByRole('button', { name: 'Account menu' }).click()
      await buyer.page.locator('details').evaluateAll((all) => all.forEach((details) => (details.open = true)))
      for (const finding of await findings(buyer.page)) found.push(`/credits, unfolded: ${finding}`)
      assert.equal(found.length, 0, `${found.length} findings:\n${found.join('\n')}`)
    })
  }
}

story('no page scrolls sideways at 320', async ({ stack, visit }) => {
  const made = await buyerWithEverything(stack, visit)
  const wide = []
  const measure = async (visitor, path) => {
    await visitor.page.goto(path)
    const { excess, culprits } = await overflow(visitor.page)
    if (excess > 0) wide.push(`${path}: ${excess} px, ${culprits.join(' ')}`)
  }
  const nobody = await visit({ width: 320 })
  nobody.expected.push(/status of 404/)
  for (const path of forNobody) await measure(nobody, path)
  const buyer = await visit({ width: 320, storageState: made.storageState })
  for (const [path] of pathsFor(made)) await measure(buyer, path)
  assert.deepEqual(wide, [])
})

story('every page has one heading, a title, landmarks, and headings in order', async ({ stack, visit }) => {
  const made = await buyerWithEverything(stack, visit)
  const nobody = await visit()
  nobody.expected.push(/status of 404/)
  const buyer = await visit({ storageState: made.storageState })
  const visits = [...forNobody.map((path) => [nobody, path]), ...pathsFor(made).map(([path]) => [buyer, path])]
  for (const [visitor, path] of visits) {
    await visitor.page.goto(path)
    const page = await visitor.page.evaluate(() => ({
      title: document.title,
      language: document.documentElement.lang,
      mains: document.querySelectorAll('main').length,
      headings: [...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1])),
      ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    }))
    assert.match(page.title, /Atlas/, path)
    assert.deepEqual([page.language, page.mains], ['en', 1], path)
    assert.equal(page.headings.filter((level) => level === 1).length, 1, `${path}: one h1`)
    for (const [index, level] of page.headings.entries()) {
      assert.ok(level <= (page.headings[index - 1] ?? 0) + 1, `${path}: headings ${page.headings}`)
    }
    assert.equal(new Set(page.ids).size, page.ids.length, `${path}: ids ${page.ids}`)
  }
})

story('the credits page does not shift while it loads', async ({ stack, visit }) => {
  const made = await buyerWithEverything(stack, visit)
  for (const width of [390, 1280]) {
    const visitor = await visit({ width, storageState: made.storageState })
    await visitor.context.addInitScript(() => {
      globalThis.shift = 0
      new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (globalThis.shift += value))).observe({ type: 'layout-shift', buffered: true })
    })
    await visitor.page.goto('/credits')
    await visitor.awake()
    await visitor.page.evaluate(() => document.fonts.ready)
    await visitor.page.waitForLoadState('networkidle')
    const shift = await visitor.page.evaluate(() => new Promise((told) => requestAnimationFrame(() => requestAnimationFrame(() => told(globalThis.shift)))))
    assert.ok(shift < 0.01, `${width} wide: ${shift}`)
  }
})

/** Presses Tab until the element has the focus, and checks that the ring can be seen. */
async function tabTo(page, target, pressesMax = 60) {
  for (let presses = 0; presses < pressesMax; presses += 1) {
    await page.keyboard.press('Tab')
    if (await target.evaluate((element) => element === document.activeElement)) {
      const ring = await target.evaluate((element) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element)
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none'
      })
      assert.ok(ring, `the focus can be seen on ${await target.evaluate((element) => element.outerHTML.slice(0, 100))}`)
      return
    }
  }
  assert.fail(`${pressesMax} presses of Tab did not reach ${target}`)
}

story('a whole purchase with the keyboard alone', async ({ stack, visit }) => {
  const visitor = await visit()
  const { page } = visitor
  await page.goto('/')
  await page.keyboard.press('Tab')
  const skip = page.getByRole('link', { name: 'Skip to the content' })
  assert.ok(await skip.evaluate((link) => link === document.activeElement), 'the skip link comes first')
  assert.ok(await skip.isVisible())
  await page.keyboard.press('Enter')
  await page.waitForURL('**/#main')

  await page.goto('/sign-up')
  await tabTo(page, page.getByLabel('Email'))
  await page.keyboard.type(freshMail())
  await tabTo(page, page.getByLabel('Password'))
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/credits')
  await visitor.awake()
  await tabTo(page, plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }))
  await page.keyboard.press('Enter')
  await page.getByText('Due today').waitFor()
  await tabTo(page, page.getByRole('button', { name: 'Pay', exact: true }))
  await page.keyboard.press('Enter')
  await inState(page, 'paid').waitFor()
  await tabTo(page, page.getByRole('link', { name: 'Receipt' }))
  await page.keyboard.press('Enter')
  await page.waitForURL('**/receipt/**')
  await page.goto('/credits')
  await tabTo(page, page.getByRole('button', { name: 'Account menu' }))
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'hidden' })
  assert.ok(await page.getByRole('button', { name: 'Account menu' }).evaluate((button) => button === document.activeElement), 'the focus is back')
})

story('who wants less motion gets none', async ({ stack, visit }) => {
  const made = await buyerWithEverything(stack, visit)
  const visitor = await visit({ reducedMotion: 'reduce', storageState: made.storageState })
  for (const [path] of pathsFor(made)) {
    await visitor.page.goto(path)
    const moving = await visitor.page.evaluate(() => document.getAnimations().filter(({ effect }) => effect.getComputedTiming().duration > 1).map(({ effect }) => effect.target?.className))
    assert.deepEqual(moving, [], path)
    const wouldMove = await visitor.page.evaluate(() => [...document.querySelectorAll('*')].filter((part) => /[1-9]/.test(getComputedStyle(part).transitionDuration)).map(({ className }) => className))
    assert.deepEqual(wouldMove, [], path)
  }
})
