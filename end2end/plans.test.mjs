// Plans as admins look after them: made, changed, arranged, put on sale and off, ended, and how they stand at Whop.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { waitFor } from './stack.mjs'
import { openCheckout, password, pay, inState, plan, signIn, signUp, staleConfirmations } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const adminPassword = 'admin-demo-password'
let count = 0
/** A name that no other story uses. */
const freshName = () => `Plan ${(count += 1)}`

async function admin(visit, settings) {
  const visitor = await visit(settings)
  await signIn(visitor, 'admin@example.com', adminPassword)
  await visitor.page.waitForURL('**/credits')
  return visitor
}

/** Fills what is named, and leaves the rest as it is. */
async function fill(page, fields) {
  for (const [label, value] of Object.entries(fields)) {
    const field = page.getByLabel(label, { exact: true })
    if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption(value)
    else await field.fill(value)
  }
}

/** Makes a plan, and ends on its page. */
async function make(page, fields) {
  await page.goto('/admin/plans/new')
  await fill(page, { Credits: '50,000', 'Price (empty by agreement)': '60', ...fields })
  await page.getByRole('button', { name: 'Make the plan' }).click()
  await page.getByText('It is off sale until you put it on sale.').waitFor()
  return new URL(page.url()).pathname.split('/').at(-1)
}

async function putOnSale(page) {
  await page.getByLabel('Why it goes on or off').fill('Season')
  await page.getByRole('button', { name: 'Put on sale' }).click()
  await page.getByText('It is on sale, everywhere within a second.').waitFor()
}

const atWhop = (page) => page.getByRole('region', { name: 'At Whop' })

async function inStep(page) {
  await waitFor(async () => {
    await page.reload()
    return (await atWhop(page).getByText('In step').count()) === 1
  }, 'the plan to be in step')
}

stories('a plan is made, put on sale, bought, changed without changing what was sold, and retired', async ({ stack, visit }) => {
  const [{ page }, buyer] = [await admin(visit), await visit()]
  const name = freshName()
  await page.goto('/admin/plans')
  await page.getByRole('link', { name: 'New plan' }).click()
  const id = await make(page, { Name: name, 'Description (optional)': 'For a lot of work.' })
  await signUp(buyer)
  await buyer.page.goto(`/credits?plan=${id}`)
  assert.equal(await plan(buyer.page, name).count(), 0, 'off sale')
  await putOnSale(page)
  await inStep(page)
  await waitFor(async () => {
    await buyer.page.goto('/credits')
    return (await plan(buyer.page, name).count()) === 1
  }, 'the plan on the page')
  await openCheckout(buyer, name)

  await fill(page, { Credits: '55000', 'Price (empty by agreement)': '61.50', 'Credits end after days (optional)': '30', Reason: 'Costs rose' })
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await page.getByText('Saved as version 2.').waitFor()
  await inStep(page)
  const whop = await stack.whop(`variants/${(await stack.sql`select whop_plan_id as id from whop_plans where plan_id = ${id}`)[0].id}`)
  assert.deepEqual([whop.title, Number(whop.initial_price), whop.visibility], [name, 61.5, 'hidden'])
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  await buyer.page.getByText('50,000').first().waitFor()
  const lots = await stack.sql`select l.granted::int, l.expires_at from credit_lots l join credit_orders o on o.id = l.order_id join user_profiles p on p.id = o.buyer_id where p.email = ${buyer.email}`
  assert.deepEqual(lots, [{ granted: 50_000, expires_at: null }], 'as it was ordered')
  await buyer.page.goto('/credits')
  await plan(buyer.page, name).getByText('The credits end 30 days after they arrive.').waitFor()

  await page.goto('/admin/plans')
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })
  assert.match(await row.innerText(), /55,000[\s\S]*\$61\.50[\s\S]*On sale/)
  await row.getByRole('button', { name: `Up: ${name}` }).click()
  await page.getByRole('heading', { name: 'Plans' }).waitFor()
  await page.waitForLoadState()
  const names = await page.locator('tbody th').allInnerTexts()
  assert.equal(names.indexOf(name), names.length - 2 - (await retired(stack)), `moved up: ${names}`)
  await page.getByRole('link', { name, exact: true }).click()
  await page.getByLabel('Why it goes on or off').fill('Over')
  await page.getByRole('button', { name: 'Retire the plan' }).click()
  await page.getByText('It is retired.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Save as a new version' }).count(), 0)
  await waitFor(async () => (await stack.whop(`variants/${whop.id}`)).visibility === 'archived', 'the archive at Whop')
})

stories('a plan whose form is sent twice is made once', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  const name = freshName()
  await page.goto('/admin/plans/new')
  await fill(page, { Name: name, Credits: '50,000', 'Price (empty by agreement)': '60' })
  await page.getByRole('button', { name: 'Make the plan' }).dblclick()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  assert.equal((await stack.sql`select id from plan_versions where name = ${name}`).length, 1)
})

const retired = async (stack) => (await stack.sql`select count(*)::int as n from plans where retired_at is not null and deleted_at is null`)[0].n

stories('what is wrong is said at each field, and what was typed is kept', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  const before = await stack.sql`select count(*)::int as n from plan_versions`
  await page.goto('/admin/plans/new')
  const tries = [
    [{ 'Price (empty by agreement)': '7.505' }, 'price', /USD has 2 decimals/],
    [{ 'Price (empty by agreement)': '-7' }, 'price', /can’t be negative/],
    [{ 'Price (empty by agreement)': '99999999999999999' }, 'price', /too much/],
    [{ Currency: 'XYZ' }, 'currency', /three letters/],
    [{ Currency: 'JPY', 'Price (empty by agreement)': '7.5' }, 'price', /JPY has no decimals/],
    [{ Credits: '1.5' }, 'credits', /whole number/],
    [{ Name: 'x'.repeat(10_000) }, 'name', /80 characters/],
    [{ 'How it is sold': 'agreement' }, 'price', /no price/],
  ]
  for (const [fields, field, message] of tries) {
    const name = `<b>${freshName()}</b> 🚀 חבילה`
    const typed = { Name: name, 'Description (optional)': 'Kept', Credits: '10', 'How it is sold': 'once', 'Price (empty by agreement)': '7', Currency: 'USD', ...fields }
    await fill(page, typed)
    await page.getByRole('button', { name: 'Make the plan' }).click()
    await summary(page).waitFor()
    assert.match(await page.locator(`#${field}-error`).innerText(), message)
    for (const [label, value] of Object.entries(typed).filter(([, value]) => value.length < 4_000)) {
      assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), value, label)
    }
  }
  assert.deepEqual(await stack.sql`select count(*)::int as n from plan_versions`, before, 'nothing half-saved')
  const name = `<b>${freshName()}</b> 🚀 חבילה`
  const id = await make(page, { Name: name, Currency: 'USD', Credits: '10', 'Price (empty by agreement)': '7', 'How it is sold': 'once' })
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await fill(page, { Name: ' ', Reason: ' ' })
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await summary(page).waitFor()
  await page.locator('#reason-error').waitFor()
  await page.getByLabel('Why it goes on or off').fill('Not needed')
  await page.getByRole('button', { name: 'Delete the plan' }).click()
  await page.getByText('The plan is deleted.').waitFor()
  assert.equal(await page.getByRole('link', { name }).count(), 0)
  assert.ok(id)
})

stories('the second of two admins is told and shown the difference', async ({ visit }) => {
  const [{ page: first, javascript }, { page: second }] = [await admin(visit), await admin(visit)]
  const name = freshName()
  const id = await make(first, { Name: name })
  await second.goto(`/admin/plans/${id}`)
  await fill(first, { Credits: '40000', Reason: 'First' })
  await first.getByRole('button', { name: 'Save as a new version' }).click()
  await first.getByText('Saved as version 2.').waitFor()

  await fill(second, { 'Price (empty by agreement)': '45', Reason: 'Second' })
  await second.getByRole('button', { name: 'Save as a new version' }).click()
  await summary(second).getByText('Somebody else changed this plan meanwhile.').waitFor()
  await second.waitForLoadState()
  const differences = second.getByRole('region', { name: 'Changed meanwhile' })
  await differences.getByText('Version 2 was saved by admin@example.com').waitFor()
  const rows = await differences.locator('tbody tr').allInnerTexts()
  assert.deepEqual(rows.map((row) => row.split(/\s+/)), [['Credits', '40,000', '50,000'], ['Price', '60.00', '45']])
  assert.equal(await second.getByLabel('Price (empty by agreement)').inputValue(), '45', 'what was typed is kept')
  if (javascript) assert.deepEqual(await findings(second), [])
  await second.getByRole('button', { name: 'Save as a new version' }).click()
  await second.getByText('Saved as version 3.').waitFor()
})

stories('who has to show first that it is them finds again what they typed', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  await make(page, { Name: freshName() })
  await staleConfirmations(stack)
  await fill(page, { 'Price (empty by agreement)': '62.25', Reason: 'Rounder' })
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await page.getByRole('heading', { name: 'Confirm that it’s you' }).waitFor()
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  await summary(page).waitFor()
  await page.getByLabel('Password').fill(adminPassword)
  await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  await page.getByText('What you typed is still here.').waitFor()
  assert.equal(await page.getByLabel('Price (empty by agreement)').inputValue(), '62.25')
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await page.getByText('Saved as version 2.').waitFor()
  await page.reload()
  assert.equal(await page.getByText('What you typed is still here.').count(), 0, 'once')
})

stories('while Whop is down a plan is saved, and Whop’s changes are found and repaired', async ({ stack, visit }) => {
  const { page, javascript } = await admin(visit)
  const name = freshName()
  const id = await make(page, { Name: name })
  await stack.faults({ api_error_status: 503 })
  await putOnSale(page)
  await waitFor(async () => {
    await page.reload()
    return (await atWhop(page).getByText('Whop does not answer just now.').count()) === 1
  }, 'the word that Whop is down')
  await stack.faults()
  await page.getByRole('button', { name: 'Send again' }).click()
  await inStep(page)

  // Somebody changes it there.
  const [{ whop }] = await stack.sql`select whop_plan_id as whop from whop_plans where plan_id = ${id}`
  await stack.changeAtWhop(`variants/${whop}`, { title: 'Cheaper!', initial_price: 42 })
  await page.getByRole('button', { name: 'Compare with Whop' }).click()
  await page.getByText('Its price is $60.00 USD here and $42.00 USD at Whop.').waitFor()
  if (javascript) assert.deepEqual(await findings(page), [])
  await page.getByRole('button', { name: 'Repair' }).click()
  await inStep(page)
  assert.equal(Number((await stack.whop(`variants/${whop}`)).initial_price), 60)
})

stories('a plan that exists at Whop is adopted by its id', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  const other = await make(page, { Name: freshName() })
  await putOnSale(page)
  await inStep(page)
  const [{ whop }] = await stack.sql`select whop_plan_id as whop from whop_plans where plan_id = ${other}`
  const name = freshName()
  await make(page, { Name: name, 'Price (empty by agreement)': '12' })
  const adopt = async (id) => {
    if (!(await page.getByLabel('Its id at Whop').isVisible())) await page.getByText('There is a plan at Whop already').click()
    await page.getByLabel('Its id at Whop').fill(id)
    await page.getByRole('button', { name: 'Adopt it' }).click()
  }
  await adopt('prod_1')
  await page.locator('#whop_plan-error').getByText('It begins with plan_').waitFor()
  await adopt(whop)
  await page.locator('#whop_plan-error').getByText('That plan costs $60.00 USD, and this one $12.00 USD.').waitFor()
  assert.equal(await page.getByLabel('Its id at Whop').inputValue(), whop)
  const theirs = await stack.changeAtWhop('variants', { account_id: stack.company, title: name, initial_price: 12, currency: 'usd', plan_type: 'one_time', visibility: 'archived' }, 'POST')
  await adopt(theirs.id)
  await page.getByText('That plan at Whop belongs to this one now.').waitFor()
  await atWhop(page).getByText('In step').waitFor()
})

stories('an unlisted plan is bought by its link alone', async ({ visit }) => {
  const { page } = await admin(visit)
  const name = freshName()
  const id = await make(page, { Name: name, 'Who sees it': 'unlisted' })
  await putOnSale(page)
  await page.getByRole('link', { name: `/credits?plan=${id}` }).waitFor()
  const buyer = await visit()
  await signUp(buyer)
  await waitFor(async () => {
    await buyer.page.goto(`/credits?plan=${id}`)
    return (await plan(buyer.page, name).count()) === 1
  }, 'the plan behind its link')
  await plan(buyer.page, name).getByRole('button', { name: 'Buy credits' }).click()
  await buyer.page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
  await buyer.page.goto('/credits')
  assert.equal(await plan(buyer.page, name).count(), 0)
})

story('a plan is edited with the keyboard alone', async ({ visit }) => {
  const { page } = await admin(visit)
  await make(page, { Name: freshName() })
  await tabTo(page, page.getByLabel('Credits', { exact: true }))
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('51000')
  await tabTo(page, page.getByLabel('Who sees it'))
  await page.keyboard.press('ArrowDown')
  await tabTo(page, page.getByLabel('Reason', { exact: true }))
  await page.keyboard.type('By hand')
  await page.keyboard.press('Enter')
  await page.getByText('Saved as version 2.').waitFor()
  await page.getByRole('definition').filter({ hasText: 'Only who has the link' }).waitFor()
})

async function tabTo(page, target) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    if (await target.evaluate((element) => element === document.activeElement)) return
  }
  assert.fail(`60 presses of Tab did not reach ${target}`)
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1280]) {
    story(`the pages of plans read well, ${colorScheme}, ${width} wide`, async ({ visit }) => {
      const { page } = await admin(visit, { colorScheme, width })
      const id = await make(page, { Name: `${freshName()} with a name that is as long as names of plans may be, and not one letter more`.slice(0, 80) })
      await page.getByLabel('Why it goes on or off').fill(' ')
      await page.getByRole('button', { name: 'Put on sale' }).click()
      await summary(page).waitFor()
      assert.deepEqual(['refused', await findings(page), (await overflow(page)).excess], ['refused', [], 0])
      for (const path of ['/admin/plans', '/admin/plans/new', `/admin/plans/${id}`]) {
        await page.goto(path)
        await page.locator('details').evaluateAll((all) => all.forEach((details) => (details.open = true)))
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
    })
  }
}
