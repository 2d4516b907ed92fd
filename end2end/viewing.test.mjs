// An admin who looks at a buyer's pages: they see what the buyer sees, and can change nothing.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { balanceOf, inState, openCheckout, orderOf, ordersOf, pay, plan, signIn, signUp, staleConfirmations, unfold } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

const banner = (page) => page.locator('.viewing-row p')
const stop = (page) => page.getByRole('button', { name: 'Stop viewing' })
const deedsAbout = async (stack, id) => (await stack.sql`select deed, why from audit_entries where about = 'person' and about_id = ${id} and deed like 'viewing%' order by number`)

async function asAdmin(visit, options = {}) {
  const admin = await visit(options)
  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await admin.page.waitForURL('**/credits')
  return admin
}

/** Somebody who bought, and has one more checkout open. */
async function whoBought(stack, visit) {
  const buyer = await visit()
  const email = await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const paid = orderOf(buyer.page)
  await openCheckout(buyer, 'Pro')
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  const [{ id: open }] = await stack.sql`select id from credit_orders where buyer_id = ${id} and state = 'opened'`
  return { buyer, email, id, paid, open, place: `/admin/people/${id}` }
}

async function views(page, { place }, why = 'A ticket: <b>credits</b> missing') {
  await page.goto(place)
  await unfold(page, 'Look at their pages')
  await page.getByLabel('Why you need to look').fill(why)
  await page.getByRole('button', { name: 'View as this person' }).click()
  await page.waitForURL('**/credits')
  await banner(page).waitFor()
}

stories('an admin sees what the buyer sees, and can change nothing', async ({ stack, visit }) => {
  const bought = await whoBought(stack, visit)
  const admin = await asAdmin(visit)
  const { page } = admin
  // A reason is asked for, and nothing begins without.
  await page.goto(bought.place)
  await unfold(page, 'Look at their pages')
  await page.getByLabel('Why you need to look').evaluate((field) => field.removeAttribute('required'))
  await page.getByRole('button', { name: 'View as this person' }).click()
  await page.getByRole('link', { name: 'Say why, in a few words.' }).waitFor()
  assert.deepEqual(await deedsAbout(stack, bought.id), [])

  await views(page, bought)
  assert.match(await page.locator('.balance').innerText(), /5,000/)
  const paths = ['/credits', '/transactions', `/payment/status?order=${bought.paid}`, `/payment/status?order=${bought.open}`, `/receipt/${bought.paid}`, '/account', '/']
  for (const path of paths) {
    await page.goto(path)
    assert.ok((await banner(page).innerText()).startsWith(`These are the pages of ${bought.email}. Nothing can be changed. Until `), path)
  }
  await page.goto('/transactions')
  await page.goto(await page.getByRole('link', { name: 'The whole story', includeHidden: true }).first().getAttribute('href'))
  await page.getByRole('heading', { name: 'Which credits moved' }).waitFor()
  await banner(page).waitFor()
  // A foreign order stays one: the admin sees no more than the buyer would.
  admin.expected.push(/status of (403|404)/)
  assert.equal((await page.goto('/payment/status?order=00000000-0000-7000-8000-000000000000')).status(), 404)
  await banner(page).waitFor()

  // What is pressed, and what is forged, is refused in one sentence.
  const before = JSON.stringify([await ordersOf(stack, bought.email), await stack.sql`select name, email from user_profiles order by id`])
  await page.goto('/credits')
  await admin.awake()
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await page.getByRole('heading', { name: 'Not while you view somebody’s pages' }).waitFor()
  await page.getByText('You see them as they do, and can change nothing. Nothing was changed.').waitFor()
  await banner(page).waitFor()
  await page.goto('/account')
  await page.getByLabel('Name').fill('Mallory')
  await page.getByRole('button', { name: 'Save name' }).click()
  await page.getByRole('heading', { name: 'Not while you view somebody’s pages' }).waitFor()
  for (const [path, form] of [
    ['/do/rename', { name: 'Mallory' }], ['/account/export', { form: 'json' }], ['/do/admin/grant-credits', { person: bought.id, credits: '5', key: 'mallory-key-0001', reason: 'x', description: '' }],
    ['/do/admin/start-viewing', { person: bought.id, reason: 'again' }], ['/do/end-other-sessions', {}],
  ]) {
    const answer = await page.request.post(path, { form, headers: { origin: stack.app, accept: 'text/html' } })
    assert.equal(answer.status(), 403, path)
    assert.match(await answer.text(), /Nothing was changed\./, path)
  }
  assert.equal((await page.goto('/admin')).status(), 403)
  assert.equal(JSON.stringify([await ordersOf(stack, bought.email), await stack.sql`select name, email from user_profiles order by id`]), before)
  assert.equal(Number(await balanceOf(stack, bought.email)), 5000)

  await stop(page).click()
  await page.waitForURL(`**${bought.place}`)
  assert.equal(await banner(page).count(), 0)
  assert.deepEqual(await deedsAbout(stack, bought.id), [{ deed: 'viewing_started', why: 'A ticket: <b>credits</b> missing' }, { deed: 'viewing_ended', why: null }])
  await page.goto(`/admin/audit?who=${bought.id}&deed=viewing_started`)
  await page.getByText('A ticket: <b>credits</b> missing').waitFor()
  await page.goto('/account')
  await page.getByRole('main').getByText('admin@example.com').waitFor()
})

stories('the order’s page asks the provider for its buyer alone', async ({ stack, visit }) => {
  const bought = await whoBought(stack, visit)
  const { page } = await asAdmin(visit)
  await views(page, bought)
  // Paid, and nobody has told us.
  await stack.faults({ webhook_loss: 1 })
  await pay(bought.buyer)
  await inState(bought.buyer.page, 'paid').waitFor()
  const [{ id }] = await stack.sql`select id from credit_orders where id = ${bought.open} and state = 'paid'`
  await openCheckout(bought.buyer)
  const { id: another } = (await ordersOf(stack, bought.email)).at(-1)
  await stack.control('pay', { checkout_id: (await stack.order(another)).checkout_id })
  await page.goto(`/payment/status?order=${another}`)
  await inState(page, 'opened').waitFor()
  const checkout = page.getByText('Continue to the checkout')
  assert.deepEqual([await checkout.getAttribute('href'), await checkout.getAttribute('aria-disabled')], [null, 'true'])
  assert.deepEqual([(await stack.order(another)).state, await stack.grants(another)], ['opened', 0])
  await bought.buyer.page.goto(`/payment/status?order=${another}`)
  await inState(bought.buyer.page, 'paid').waitFor()
  assert.equal(await stack.grants(another), 1)
  assert.equal(await stack.grants(id), 1)
  await page.goto(`/payment/status?order=${another}`)
  await inState(page, 'paid').waitFor()
})

stories('when the time is over nothing acts until the admin says that they know', async ({ stack, visit }) => {
  const bought = await whoBought(stack, visit)
  const admin = await asAdmin(visit)
  const { page } = admin
  await views(page, bought)
  await page.goto('/account')
  await page.getByLabel('Name').fill('Mallory')
  await stack.sql`update sessions set viewing_until = now() where viewing_id is not null returning public_id`
  admin.expected.push(/status of 403/)
  await page.getByRole('button', { name: 'Save name' }).click()
  await page.getByRole('heading', { name: 'Viewing has ended' }).waitFor()
  assert.ok(!(await page.content()).includes(bought.email))
  assert.deepEqual(await stack.sql`select 1 from user_profiles where name = 'Mallory'`, [])
  await page.getByRole('button', { name: 'Go on as yourself' }).click()
  await page.waitForURL(`**${bought.place}`)
  await page.getByRole('heading', { name: bought.email }).waitFor()
})

stories('it takes a confirmation, and staff are not looked at', async ({ stack, visit }) => {
  const bought = await whoBought(stack, visit)
  const { page } = await asAdmin(visit)
  await page.goto(bought.place)
  await unfold(page, 'Look at their pages')
  await page.getByLabel('Why you need to look').fill('A ticket')
  await staleConfirmations(stack)
  await page.getByRole('button', { name: 'View as this person' }).click()
  await page.waitForURL('**/confirm?**')
  await page.getByLabel('Password').fill('admin-demo-password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.waitForURL(`**${bought.place}`)
  assert.equal(await page.getByLabel('Why you need to look').inputValue(), 'A ticket')
  await page.getByRole('button', { name: 'View as this person' }).click()
  await banner(page).waitFor()
  // At sign-out it ends, too.
  await page.goto('/account')
  await page.getByRole('main').getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('link', { name: 'Sign in' }).first().waitFor()
  assert.deepEqual((await deedsAbout(stack, bought.id)).map(({ deed }) => deed), ['viewing_started', 'viewing_ended'])

  const again = await asAdmin(visit)
  await stack.sql`update user_profiles set role = 'support' where id = ${bought.id} returning id`
  await again.page.goto(bought.place)
  await again.page.getByRole('heading', { name: bought.email }).waitFor()
  assert.equal(await again.page.getByRole('button', { name: 'View as this person' }).count(), 0)
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1280]) {
    story(`what an admin looks at reads well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const bought = await whoBought(stack, visit)
      await stack.sql`update user_profiles set name = ${'Maximiliana von und zu Hohenstein-Ehrenfels-Oberlahnstein'} where id = ${bought.id} returning id`
      const admin = await asAdmin(visit, { colorScheme, width })
      const { page } = admin
      await page.goto(bought.place)
      assert.deepEqual([bought.place, await findings(page), (await overflow(page)).excess], [bought.place, [], 0])
      await views(page, bought)
      for (const path of ['/credits', '/transactions', `/payment/status?order=${bought.open}`, `/receipt/${bought.paid}`, '/account']) {
        await page.goto(path)
        await admin.awake()
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
      admin.expected.push(/status of 403/)
      await page.goto('/admin')
      assert.deepEqual([await findings(page), (await overflow(page)).excess], [[], 0])
    })
  }
}
