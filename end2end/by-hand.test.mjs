// Credits moved by hand, by one admin or, above the limit, by two; and the disputes that have to be answered.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, inState, newestMail, openCheckout, orderOf, pay, signIn, signUp, unfold } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

async function asAdmin(visit, options = {}) {
  const admin = await visit(options)
  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await admin.page.waitForURL('**/credits')
  return admin
}

async function secondAdmin(stack, visit) {
  const second = await visit()
  const email = await signUp(second)
  await stack.sql`update user_profiles set role = 'admin' where email = ${email} returning id`
  return second
}

async function someone(stack, visit) {
  const buyer = await visit()
  const email = await signUp(buyer)
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  return { buyer, email, place: `/admin/people/${id}` }
}

const walletOf = async (stack, email) => (await stack.sql`select posted::int, debt::int from credit_accounts a join user_profiles p on p.id = a.owner_id where p.email = ${email}`)[0]

stories('credits are granted and taken, and a debt is forgiven', async ({ stack, visit }) => {
  const { buyer, email, place } = await someone(stack, visit)
  const { page } = await asAdmin(visit)
  const fill = async (credits, reason, said = '') => {
    await page.goto(place)
    await unfold(page, 'Grant or take credits')
    await page.getByLabel('Credits', { exact: true }).fill(credits)
    await page.getByLabel('What they read (optional)').fill(said)
    await page.getByLabel('Reason for moving credits').fill(reason)
  }
  // What is wrong is said at its field, what was typed is kept, and nothing happens.
  await fill('12.5', 'Kindness')
  await page.getByRole('button', { name: 'Grant credits' }).click()
  await page.getByRole('link', { name: 'Enter a whole number of credits' }).waitFor()
  assert.deepEqual([await page.getByLabel('Credits', { exact: true }).inputValue(), await page.getByLabel('Reason for moving credits').inputValue()], ['12.5', 'Kindness'])
  await fill('1', 'Too much')
  await page.getByRole('button', { name: 'Take credits' }).click()
  await page.getByRole('link', { name: 'There aren’t enough credits for this.' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Forgive debt' }).count(), 0)
  assert.deepEqual(await walletOf(stack, email), { posted: 0, debt: 0 })

  await fill('1,500', 'Waited <b>long</b>', 'For your patience <i>today</i>')
  await page.getByRole('button', { name: 'Grant credits' }).dblclick()
  await page.getByText('1,500 credits were granted.').or(page.getByText('Waited <b>long</b>')).first().waitFor()
  assert.deepEqual(await walletOf(stack, email), { posted: 1500, debt: 0 })
  await fill('500', 'Given twice')
  await page.getByRole('button', { name: 'Take credits' }).click()
  await page.getByText('500 credits were taken.').waitFor()
  assert.deepEqual(await walletOf(stack, email), { posted: 1000, debt: 0 })
  const { to, text } = await newestMail(stack, 'credits_granted')
  assert.deepEqual(to, [email])
  assert.ok(text.includes('For your patience <i>today</i>') && text.includes('Your balance: 1,000 credits') && !text.includes('Waited'), text)
  await buyer.page.goto('/transactions')
  await buyer.page.getByText('For your patience <i>today</i>').first().waitFor()
  assert.ok(!(await buyer.page.locator('main').innerText()).includes('Waited'))

  // A debt, by a refund of what is spent.
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const [{ payment_id: payment }] = await stack.sql`select payment_id from payments where order_id = ${orderOf(buyer.page)}`
  await stack.change`select credits_spend(gen_random_uuid(), 'test', ${payment}, (select id from user_profiles where email = ${email}), 6000, 'consumed:app', 'test', 'Used')`
  await stack.control(`payments/${payment}/refund`, {})
  await waitFor(async () => (await walletOf(stack, email)).debt === 5000, 'the debt')
  await fill('5,001', 'Enough')
  await page.getByRole('button', { name: 'Forgive debt' }).click()
  await page.getByRole('link', { name: 'Less is owed than that.' }).waitFor()
  await fill('5,000', 'Enough')
  await page.getByRole('button', { name: 'Forgive debt' }).click()
  await page.getByText('A debt of 5,000 credits was forgiven.').waitFor()
  assert.deepEqual(await walletOf(stack, email), { posted: 0, debt: 0 })
  assert.deepEqual((await stack.told('ledger', 'audit', '--json')).findings, [])
})

stories('more than one admin may give alone is confirmed by another', async ({ stack, visit }) => {
  const { email, place } = await someone(stack, visit)
  const { page } = await asAdmin(visit)
  const second = await secondAdmin(stack, visit)
  const ask = async (reason) => {
    await page.goto(place)
    await unfold(page, 'Grant or take credits')
    await page.getByLabel('Credits', { exact: true }).fill('100001')
    await page.getByLabel('Reason for moving credits').fill(reason)
    await page.getByRole('button', { name: 'Grant credits' }).click()
    await page.getByText('It waits for a second admin under Approvals.').waitFor()
  }
  await ask('A contract')
  assert.equal(Number(await balanceOf(stack, email)), 0)
  await page.goto('/admin/approvals')
  await page.getByRole('button', { name: 'Withdraw' }).click()
  await page.getByText('Withdrawn. No credits moved.').waitFor()
  for (const [button, said, posted] of [['Decline', 'Declined. No credits moved.', 0], ['Confirm', 'Confirmed, and done.', 100_001]]) {
    await ask('A contract')
    await second.page.goto('/admin/approvals')
    await second.page.getByRole('heading', { name: `Grant 100,001 credits to ${email}` }).waitFor()
    await second.page.getByLabel('Reason, if you decline').fill('No')
    await second.page.getByRole('button', { name: button }).click()
    await second.page.getByText(said).waitFor()
    assert.equal(Number(await balanceOf(stack, email)), posted)
  }
})

story('disputes stand with their deadline and their outcome', async ({ stack, visit }) => {
  const { buyer, email } = await someone(stack, visit)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const order = orderOf(buyer.page)
  const [{ payment_id: payment }] = await stack.sql`select payment_id from payments where order_id = ${order}`
  const { page } = await asAdmin(visit)
  await page.goto('/admin/disputes')
  await page.getByText('No dispute is open.').waitFor()
  await stack.control(`payments/${payment}/dispute`, { status: 'needs_response' })
  await waitFor(async () => (await stack.sql`select 1 from disputes where payment_id = ${payment}`).length === 1, 'the dispute')
  await page.goto('/admin/disputes')
  const row = page.locator('tbody tr').filter({ hasText: email })
  await row.getByText('Open', { exact: true }).waitFor()
  assert.match(await row.innerText(), /\$7\.50/)
  await row.getByRole('link').click()
  await page.waitForURL(`**/admin/orders/${order}`)
  await stack.control(`payments/${payment}/dispute`, { status: 'won' })
  await waitFor(async () => (await stack.sql`select 1 from disputes where payment_id = ${payment} and state = 'won'`).length === 1, 'the outcome')
  await page.goto('/admin/disputes')
  await page.getByRole('heading', { name: 'Decided, the latest first' }).waitFor()
  await row.getByText('Won', { exact: true }).waitFor()
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`deeds by hand and disputes read well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const { place } = await someone(stack, visit)
      const admin = await asAdmin(visit, { colorScheme, width })
      const { page } = admin
      await page.goto(place)
      await unfold(page, 'Grant or take credits')
      await page.getByLabel('Credits', { exact: true }).fill('200000')
      await page.getByLabel('Reason for moving credits').fill('A reason of several words, so that it takes some room on the page')
      await page.getByRole('button', { name: 'Grant credits' }).click()
      await page.getByText('It waits for a second admin under Approvals.').waitFor()
      for (const path of [place, '/admin/approvals', '/admin/disputes']) {
        await page.goto(path)
        await admin.awake()
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
    })
  }
}
