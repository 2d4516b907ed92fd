// Whop's own npm client, pointed at the sandbox: what it creates, reads, lists and verifies must work as with Whop.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Whop from '@whop/sdk'
import { ACCOUNT, KEY, SECRET, startStage } from './stage.mjs'

let stage
let whop

before(async () => {
  stage = await startStage()
  whop = new Whop({ apiKey: KEY, baseURL: `${stage.base}/api/v1`, version: '2026-10-15-1', maxRetries: 0 })
})
after(async () => assert.equal(await stage.stop(), 0, 'the sandbox stops cleanly'))

const checkoutInput = {
  account_id: ACCOUNT,
  plan: { plan_type: 'one_time', initial_price: 7.5, currency: 'usd', title: 'Starter' },
  metadata: { order_id: 'ord_0001' },
  redirect_url: 'https://shop.test/return?order=ord_0001',
}

test('creates, reads, lists and deletes a checkout configuration', async () => {
  const made = await whop.checkoutConfigurations.create(checkoutInput)
  assert.match(made.id, /^ch_/)
  assert.match(made.purchase_url, new RegExp(`^${stage.base}/checkout/plan_.*session=${made.id}$`))
  const read = await whop.checkoutConfigurations.retrieve(made.id)
  assert.deepEqual(read, made)
  assert.equal(read.plan.initial_price, 7.5)
  assert.deepEqual(read.metadata, { order_id: 'ord_0001' })
  const page = await whop.checkoutConfigurations.list({ account_id: ACCOUNT })
  assert.ok(page.data.some(({ id }) => id === made.id))
  await whop.checkoutConfigurations.delete(made.id)
  await assert.rejects(whop.checkoutConfigurations.retrieve(made.id), (error) => error instanceof Whop.NotFoundError)
})

test('creates, changes and reads a plan of a product', async () => {
  const product = await whop.products.create({ account_id: ACCOUNT, title: 'Credits' })
  const plan = await whop.plans.create({ account_id: ACCOUNT, product_id: product.id, plan_type: 'one_time', initial_price: 32.5 })
  assert.match(plan.id, /^plan_/)
  await whop.plans.update(plan.id, { title: 'Pro' })
  const read = await whop.plans.retrieve(plan.id)
  assert.deepEqual([read.title, read.initial_price, read.product.id], ['Pro', 32.5, product.id])
  assert.equal((await whop.products.retrieve(product.id)).title, 'Credits')
})

test('reads a payment that was made at the checkout, and refunds a part of it', async () => {
  const checkout = await whop.checkoutConfigurations.create(checkoutInput)
  const paid = await stage.pay(checkout.id, { email: 'ada@shop.test' })
  const payment = await whop.payments.retrieve(paid.payment_id)
  assert.deepEqual([payment.status, payment.substatus], ['paid', 'succeeded'])
  assert.deepEqual(payment.total, { amount: '7.50', currency: 'usd', decimals: 2, display_decimals: 2 })
  assert.equal(payment.checkout_configuration_id, checkout.id)
  assert.equal(payment.metadata.order_id, 'ord_0001')
  assert.equal(payment.paid_at, paid.paid_at)
  await whop.payments.refund(payment.id, { partial_amount: 2.5 })
  await stage.inbox.next('refund.updated', payment.id)
  assert.equal((await whop.payments.retrieve(payment.id)).refunded_amount.amount, '2.50')
  const refunds = await whop.refunds.list({ payment_id: payment.id })
  assert.deepEqual(refunds.data.map(({ amount, status }) => [amount.amount, status]), [['2.50', 'succeeded']])
})

test('lists through all pages, each payment once', async () => {
  const checkout = await whop.checkoutConfigurations.create({ ...checkoutInput, metadata: { order_id: 'many' } })
  const paid = []
  for (let index = 0; index < 7; index += 1) paid.push((await stage.pay(checkout.id)).payment_id)
  const listed = []
  let pages = 0
  for await (const page of (await whop.payments.list({ account_id: ACCOUNT, plan_id: checkout.plan.id, first: 3 })).iterPages()) {
    pages += 1
    assert.ok(page.data.length <= 3)
    listed.push(...page.data.map(({ id }) => id))
  }
  assert.ok(pages >= 3)
  assert.equal(new Set(listed).size, listed.length)
  assert.deepEqual(listed.filter((id) => paid.includes(id)), paid.toReversed())
})

test('meets the errors it knows', async () => {
  const stranger = new Whop({ apiKey: 'wrong', baseURL: `${stage.base}/api/v1`, maxRetries: 0 })
  await assert.rejects(stranger.payments.list({ account_id: ACCOUNT }), (error) => error instanceof Whop.AuthenticationError)
  await assert.rejects(whop.payments.retrieve('pay_unknown'), (error) => error instanceof Whop.NotFoundError)
  await assert.rejects(whop.checkoutConfigurations.create({ account_id: ACCOUNT }), (error) => {
    assert.ok(error instanceof Whop.BadRequestError)
    assert.equal(error.error.error.message, 'plan_id or plan is required')
    return true
  })
})

test('gets over a refusal that passes, as it does with Whop', async () => {
  const faults = (body) => fetch(`${stage.base}/sandbox/faults`, { method: 'PUT', body: JSON.stringify(body) })
  await faults({ api_error_status: 429, api_error_count: 1 })
  const patient = new Whop({ apiKey: KEY, baseURL: `${stage.base}/api/v1`, version: '2026-10-15-1', maxRetries: 2 })
  const page = await patient.products.list({ account_id: ACCOUNT })
  assert.ok(Array.isArray(page.data))
  await faults({})
})

test('its own verification accepts what the sandbox delivers, and nothing else', async () => {
  const checkout = await whop.checkoutConfigurations.create(checkoutInput)
  const paid = await stage.pay(checkout.id)
  const { headers, body } = await stage.inbox.next('payment.succeeded', paid.payment_id)
  // This release hands the key to a library that decodes it first, so it wants the secret encoded.
  const key = btoa(SECRET)
  const event = whop.webhooks.unwrap(body, { headers, key })
  assert.equal(event.type, 'payment.succeeded')
  assert.equal(event.id, headers['webhook-id'])
  assert.equal(event.data.id, paid.payment_id)
  assert.equal(event.account_id, ACCOUNT)
  assert.throws(() => whop.webhooks.unwrap(body.replace('7.50', '0.01'), { headers, key }), /signature/i)
  assert.throws(() => whop.webhooks.unwrap(body, { headers, key: btoa(`${SECRET}0`) }), /signature/i)
})
