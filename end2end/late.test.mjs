// Webhooks that are late or lost, and a provider that is away: what the buyer is told, and that all comes right.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, checkoutOf, inState, newestOrder, openCheckout, orderOf, ordersOf, pay, plan, signUp } from './steps.mjs'

const { story, stories } = stage()

/** The provider's reads fail while its webhooks are underway. */
const unreadable = { api_error_status: 503, api_error_paths: '/payments' }
const delivered = async (stack, payment) => {
  const attempts = await stack.control(`deliveries?event=payment.succeeded&payment_id=${payment}`)
  return attempts.filter(({ success }) => success).length
}

stories('a webhook that is 20 s late: the page says that it waits, then turns by itself', async ({ stack, visit }) => {
  await stack.faults({ webhook_delay_ms: 20_000, ...unreadable })
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  await openCheckout(buyer)
  const began = Date.now()
  await pay(buyer)
  await inState(page, 'opened').waitFor()
  await page.getByRole('heading', { name: 'Confirming your payment' }).waitFor()
  await page.getByText('You can close this page; credits arrive on their own').waitFor()
  await page.getByText('This page turns by itself').waitFor()
  assert.equal(await balanceOf(stack, buyer.email), 0)
  await inState(page, 'paid').waitFor({ timeout: 60_000 })
  assert.ok(Date.now() - began > 15_000, 'nothing but the webhook can have told')
  assert.equal(await balanceOf(stack, buyer.email), 5000)
  const [{ payment_id: payment }] = await stack.sql`select payment_id from payments where order_id = ${orderOf(page)}`
  assert.equal(await delivered(stack, payment), 1)
})

stories('a webhook that is lost: the page settles by asking', async ({ stack, visit }) => {
  await stack.faults({ webhook_loss: 1, payment_read_delay_ms: 6_000 })
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await page.getByRole('heading', { name: 'Confirming your payment' }).waitFor()
  await inState(page, 'paid').waitFor({ timeout: 45_000 })
  assert.equal(await balanceOf(stack, buyer.email), 5000)
  const [{ count }] = await stack.sql`select count(*)::int from provider_events e join credit_orders o on o.id = e.order_id where o.id = ${orderOf(page)}`
  assert.equal(count, 0, 'no webhook came')
})

story('a webhook that comes after the page settled by asking grants nothing more', async ({ stack, visit }) => {
  await stack.faults({ webhook_delay_ms: 8_000 })
  const buyer = await visit()
  await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  const order = orderOf(buyer.page)
  await inState(buyer.page, 'paid').waitFor()
  await waitFor(async () => (await stack.sql`select 1 from provider_events where order_id = ${order} and kind = 'payment.succeeded'`).length, 'the late webhook', 30_000)
  assert.equal(await stack.grants(order), 1)
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})

story('a page left open on the checkout follows it when every webhook is lost', async ({ stack, visit }) => {
  await stack.faults({ webhook_loss: 1 })
  const buyer = await visit()
  await signUp(buyer)
  await openCheckout(buyer)
  const checkout = checkoutOf(buyer.page)
  const { id } = await newestOrder(stack, buyer.email)
  await buyer.page.goto(`/payment/status?order=${id}`)
  await buyer.awake()
  await stack.control('pay', { checkout_id: checkout })
  await inState(buyer.page, 'paid').waitFor({ timeout: 45_000 })
  assert.equal(await stack.grants(id), 1)
})

const failures = {
  'answers 500': { api_error_status: 500, api_error_paths: '/checkout_configurations' },
  'answers nonsense': { garbage: true, api_error_paths: '/checkout_configurations' },
  'refuses our key': { api_error_status: 401, api_error_paths: '/checkout_configurations' },
}
for (const [what, faults] of Object.entries(failures)) {
  stories(`at buying the provider ${what}: a sentence, nothing charged, and the same page works later`, async ({ stack, visit }) => {
    const buyer = await visit()
    const { page } = buyer
    await signUp(buyer)
    await buyer.awake()
    const checkouts = (await stack.checkouts()).length
    const key = await plan(page, 'Starter').locator('input[name=key]').inputValue()
    await stack.faults(faults)
    await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
    await page.getByText('The checkout can’t be opened just now. Nothing was charged.').waitFor()
    assert.equal(new URL(page.url()).pathname, '/credits')
    const [order, ...others] = await ordersOf(stack, buyer.email)
    assert.equal(others.length, 0)
    assert.deepEqual([order.state, order.failure, order.checkout_id], ['failed', 'checkout_unavailable', null])
    assert.equal(await balanceOf(stack, buyer.email), 0)

    await stack.faults()
    assert.equal((await stack.checkouts()).length, checkouts, 'no checkout was made')
    await plan(page, 'Starter').locator('input[name=key]').evaluate((input, key) => (input.value = key), key)
    await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
    await pay(buyer)
    await inState(page, 'paid').waitFor()
    assert.equal(orderOf(page), order.id, 'the same form is the same order')
    assert.equal(await stack.grants(order.id), 1)
  })
}

story('a checkout that was made while its answer was lost is found again by the same form', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  const before = (await stack.checkouts()).length
  await stack.faults({ api_error_after_doing: true, api_error_status: 502, api_error_count: 1, api_error_paths: '/checkout_configurations' })
  await plan(page, 'Pro').getByRole('button', { name: 'Buy credits' }).click()
  await pay(buyer)
  await inState(page, 'paid').waitFor()
  assert.equal((await stack.checkouts()).length, before + 1, 'one checkout, though it was asked for twice')
  assert.equal(await balanceOf(stack, buyer.email), 25000)
})

story('a provider that cannot be reached at all is a sentence too', async ({ stack, visit }) => {
  const buyer = await visit()
  await signUp(buyer)
  await openCheckout(buyer)
  const { id } = await newestOrder(stack, buyer.email)
  await stack.faults({ garbage: true })
  const answer = await buyer.page.goto(`/payment/status?order=${id}`)
  assert.equal(answer.status(), 200)
  await inState(buyer.page, 'opened').waitFor()
  await buyer.page.getByRole('link', { name: 'Continue to the checkout' }).waitFor()
})
