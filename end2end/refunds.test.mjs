// Paying back: what is shown is what happens, once; every answer of the provider's is told; above a limit a second admin decides.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, inState, openCheckout, orderOf, pay, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

/** A buyer who has paid for Starter. */
async function whoPaid(visit) {
  const buyer = await visit()
  await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const order = orderOf(buyer.page)
  const [{ payment_id: payment }] = await buyer.stack.sql`select payment_id from payments where order_id = ${order}`
  return { buyer, email: buyer.email, order, payment }
}

async function asAdmin(visit, options = {}) {
  const admin = await visit(options)
  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await admin.page.waitForURL('**/credits')
  return admin
}

/** Somebody else who may do everything. */
async function secondAdmin(stack, visit) {
  const second = await visit()
  const email = await signUp(second)
  await stack.sql`update user_profiles set role = 'admin' where email = ${email} returning id`
  return second
}

const refundsOf = (stack, payment) => stack.sql`select state, amount_minor::int as cents from refunds where payment_id = ${payment} order by created_at`
const requestsOf = (stack, payment) => stack.sql`select state, amount_minor::int as cents from refund_requests where payment_id = ${payment} order by created_at`
const paidBack = (stack, payment, count) => waitFor(async () => (await refundsOf(stack, payment)).filter(({ state }) => state === 'succeeded').length === count, `${count} refunds`)

/** What the preview says, by its terms. */
const preview = async (page) => {
  await page.waitForLoadState()
  return Object.fromEntries(await page.locator('#preview > div').evaluateAll((rows) => rows.map((row) => [row.children[0].innerText, row.children[1].innerText])))
}

stories('a part and then the rest are paid back, as the preview said', async ({ stack, visit }) => {
  const { buyer, email, order, payment } = await whoPaid(visit)
  await stack.change`select credits_spend(gen_random_uuid(), 'test', ${payment}, (select id from user_profiles where email = ${email}), 4000, 'consumed:app', 'test', 'Used')`
  const { page } = await asAdmin(visit)
  await page.goto(`/admin/orders/${order}`)
  await page.getByRole('link', { name: 'Refund', exact: true }).click()
  assert.deepEqual(await preview(page), {
    'Money back': '$7.50', 'Can be paid back later': '$0.00', 'Credits taken back': '5,000 credits',
    'Of those, spent already': '4,000 credits', 'Debt that results': '4,000 credits', 'Balance after': '0 credits',
  })

  // What is wrong is said, what was typed is kept, and nothing happens.
  for (const [typed, said] of [['7.51', 'At most $7.50'], ['0', 'above zero'], ['7.505', 'such as 7.50'], ['<b>1</b>', 'such as 7.50']]) {
    await page.getByLabel('Amount in USD').fill(typed)
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('link', { name: said }).waitFor()
    assert.equal(await page.getByLabel('Amount in USD').inputValue(), typed)
    assert.equal(await page.getByRole('button', { name: 'Refund' }).count(), 0)
  }
  await page.getByLabel('Amount in USD').fill('2.50')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByText('1,666 credits').first().waitFor()
  assert.deepEqual(await preview(page), {
    'Money back': '$2.50', 'Can be paid back later': '$5.00', 'Credits taken back': '1,666 credits',
    'Of those, spent already': '666 credits', 'Debt that results': '666 credits', 'Balance after': '0 credits',
  })
  const button = page.getByRole('button', { name: 'Refund $2.50 and take back 1,666 credits' })
  await page.getByLabel('Reason').evaluate((field) => field.removeAttribute('required'))
  await button.click()
  await page.getByRole('link', { name: 'Say why, in a few words.' }).waitFor()
  assert.equal(await page.getByLabel('Amount in USD').inputValue(), '2.50')
  assert.deepEqual(await requestsOf(stack, payment), [])

  await page.getByLabel('Reason').fill('Bought <i>by</i> mistake')
  await button.dblclick()
  // The second click may stop the way the first one had begun, so what counts is where the page ends up.
  await waitFor(() => page.url().endsWith(`/admin/orders/${order}`), "the order's page")
  await paidBack(stack, payment, 1)
  await page.goto(`/admin/orders/${order}`)
  await page.getByText('Paid back', { exact: true }).waitFor()
  await page.getByText('Bought <i>by</i> mistake').waitFor()
  assert.deepEqual(await requestsOf(stack, payment), [{ state: 'sent', cents: 250 }])
  assert.equal(Number(await balanceOf(stack, email)), 0)
  await buyer.page.goto('/credits')
  assert.match(await buyer.page.locator('.balance').innerText(), /666/)

  await page.getByRole('link', { name: 'Refund', exact: true }).click()
  assert.equal((await preview(page))['Debt that results'], '4,000 credits')
  await page.getByLabel('Reason').fill('The rest too')
  await page.getByRole('button', { name: 'Refund $5.00' }).click()
  await page.waitForURL(`**/admin/orders/${order}`)
  await paidBack(stack, payment, 2)
  assert.equal((await stack.whop(`refunds?payment_id=${payment}`)).data.length, 2)
  await page.goto(`/admin/orders/${order}`)
  assert.equal(await page.getByRole('link', { name: 'Refund', exact: true }).count(), 0)
  await page.goto(`/admin/orders/${order}/refund?payment=${payment}`)
  await page.getByRole('heading', { name: 'Nothing to refund' }).waitFor()
})

story('a provider that fails after it did it has paid back once', async ({ stack, visit }) => {
  const { order, payment, email } = await whoPaid(visit)
  const { page } = await asAdmin(visit)
  await stack.faults({ api_error_after_doing: true, api_error_status: 500, api_error_paths: '/refund', webhook_loss: 1 })
  await page.goto(`/admin/orders/${order}/refund?payment=${payment}`)
  await page.getByLabel('Reason').fill('Asked for')
  await page.getByRole('button', { name: 'Refund' }).click()
  await page.getByText('The provider hasn’t answered yet').waitFor()
  await page.getByText('No answer yet').waitFor()
  assert.equal(Number(await balanceOf(stack, email)), 5000)
  await stack.faults()
  // Its turn has come.
  await stack.sql`update refund_requests set next_try_at = now() where payment_id = ${payment} returning id`
  await stack.sql`select (graphile_worker.add_job('send_refunds', '{}'::json)).id`
  await waitFor(async () => (await requestsOf(stack, payment))[0].state === 'sent', 'the provider to answer', 90_000)
  assert.equal((await stack.whop(`refunds?payment_id=${payment}`)).data.length, 1)
  await waitFor(async () => Number(await balanceOf(stack, email)) === 0 || (await refundsOf(stack, payment)).length === 1, 'the refund to be known')
})

stories('what the provider refuses is explained', async ({ stack, visit }) => {
  const { order, payment, email } = await whoPaid(visit)
  const { page } = await asAdmin(visit)
  await page.goto(`/admin/orders/${order}`)
  await page.getByRole('link', { name: 'Refund', exact: true }).click()
  await stack.faults({ webhook_loss: 1 })
  await stack.control(`payments/${payment}/dispute`, { status: 'needs_response' })
  await page.getByLabel('Reason').fill('Asked for')
  await page.getByRole('button', { name: 'Refund' }).click()
  await page.getByText('Nothing was paid back; the reason stands below.').waitFor()
  await page.getByText('Whop says: This payment is disputed').waitFor()
  assert.equal(Number(await balanceOf(stack, email)), 5000)
  // Once we know of it ourselves, nobody is led to try.
  await stack.sql`insert into disputes (provider, dispute_id, payment_id, state) values ('whop', ${`dp_${payment}`}, ${payment}, 'open') returning dispute_id`
  await page.goto(`/admin/orders/${order}/refund?payment=${payment}`)
  await page.getByText('The bank is deciding about this payment').waitFor()
  await page.goto(`/admin/orders/${order}`)
  await page.getByText(`Dispute dp_${payment}: open`).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Refund', exact: true }).count(), 0)
})

stories('a large refund is confirmed by a second admin', async ({ stack, visit }) => {
  const { order, payment } = await whoPaid(visit)
  await stack.sql`update payments set charged_minor = 60000 where payment_id = ${payment} returning payment_id`
  const { page } = await asAdmin(visit)
  const second = await secondAdmin(stack, visit)
  await page.goto(`/admin/orders/${order}/refund?payment=${payment}`)
  await page.getByText('A second admin confirms it first').waitFor()
  await page.getByLabel('Reason').fill('All of it')
  await page.getByRole('button', { name: 'Refund $600.00 once a second admin confirms' }).click()
  await page.getByText('Waits for a second admin').waitFor()
  assert.deepEqual(await refundsOf(stack, payment), [])
  await page.goto('/admin/approvals')
  await page.getByText('You asked for it, so another admin decides.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Confirm' }).count(), 0)

  await second.page.goto('/admin/approvals')
  await second.page.getByRole('button', { name: 'Decline' }).click()
  await second.page.getByText('Say why, in a few words.').waitFor()
  await second.page.getByLabel('Reason, if you decline').fill('Too much')
  await second.page.getByRole('button', { name: 'Decline' }).click()
  await second.page.getByText('Declined. Nothing was paid back.').waitFor()
  await page.goto(`/admin/orders/${order}`)
  await page.getByText(/Declined by .*: Too much/).waitFor()

  for (const last of ['Withdraw', 'Confirm']) {
    await page.goto(`/admin/orders/${order}/refund?payment=${payment}`)
    await page.getByLabel('Reason').fill('All of it')
    await page.getByRole('button', { name: 'Refund $600.00' }).click()
    if (last === 'Withdraw') {
      await page.getByRole('button', { name: 'Withdraw' }).click()
      await page.getByText('Withdrawn. Nothing was paid back.').waitFor()
    }
  }
  await second.page.goto('/admin/approvals')
  await second.page.getByRole('link', { name: 'Show what it would do now' }).click()
  const shown = await second.page.locator('#preview').innerText()
  assert.match(shown.replaceAll(/\s+/g, ' '), /Money back \$600\.00 .*Credits taken back 5,000 credits .*Balance after 0 credits/)
  await second.page.getByRole('button', { name: 'Confirm' }).click()
  await second.page.getByText('The refund is under way.').waitFor()
  await paidBack(stack, payment, 1)
  assert.deepEqual((await requestsOf(stack, payment)).map(({ state }) => state), ['declined', 'withdrawn', 'sent'])
})

story('a payment is refunded with the keyboard alone', async ({ stack, visit }) => {
  const { order, payment } = await whoPaid(visit)
  const admin = await asAdmin(visit)
  const { page } = admin
  await page.goto(`/admin/orders/${order}`)
  await admin.awake()
  const tabTo = async (name) => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate((name) => (document.activeElement?.labels?.[0]?.innerText ?? document.activeElement?.innerText ?? '').trim().startsWith(name), name)) return
    }
    assert.fail(`no way to ${name} by the keyboard`)
  }
  await tabTo('Refund')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: /Refund to/ }).waitFor()
  await tabTo('Amount')
  await page.keyboard.press('Control+A')
  await page.keyboard.type('1.50')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Refund $1.50 and take back 1,000 credits' }).waitFor()
  await tabTo('Reason')
  await page.keyboard.type('Kindness')
  await tabTo('Refund $1.50')
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/admin/orders/${order}`)
  await paidBack(stack, payment, 1)
})

story('buyers and support find no way to refund', async ({ stack, visit }) => {
  const { buyer, order, payment } = await whoPaid(visit)
  const support = await visit()
  const email = await signUp(support)
  await stack.sql`update user_profiles set role = 'support' where email = ${email} returning id`
  for (const visitor of [buyer, support]) {
    visitor.expected.push(/status of 404/)
    for (const path of [`/admin/orders/${order}/refund?payment=${payment}`, '/admin/approvals']) {
      assert.equal((await visitor.page.goto(path)).status(), 404)
    }
  }
  await support.page.goto(`/admin/orders/${order}`)
  assert.equal(await support.page.getByRole('link', { name: 'Refund', exact: true }).count(), 0)
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`refunds and approvals read well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const { order, payment } = await whoPaid(visit)
      await stack.sql`update payments set charged_minor = 60000 where payment_id = ${payment} returning payment_id`
      const admin = await asAdmin(visit, { colorScheme, width })
      const second = await secondAdmin(stack, visit)
      const page = admin.page
      const refund = `/admin/orders/${order}/refund?payment=${payment}`
      await second.page.goto(refund)
      await second.page.getByLabel('Reason').fill('A reason of several words, so that it takes some room on the page')
      await second.page.getByRole('button', { name: 'Refund' }).click()
      await second.page.getByText('Waits for a second admin').waitFor()
      for (const path of [`/admin/orders/${order}`, refund, '/admin/approvals']) {
        await page.goto(path)
        await admin.awake()
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
      await second.page.goto(`/admin/orders/${order}`)
      await second.page.getByRole('button', { name: 'Withdraw' }).click()
      for (const path of [refund, `${refund}&amount=700`]) {
        await page.goto(path)
        await admin.awake()
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
    })
  }
}
