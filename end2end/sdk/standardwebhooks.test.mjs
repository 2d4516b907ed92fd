// The reference library of Standard Webhooks judges the sandbox's signatures.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { ACCOUNT, KEY, SECRET, startStage } from './stage.mjs'

let stage
const verifier = new Webhook(SECRET, { format: 'raw' })

before(async () => {
  stage = await startStage()
})
after(() => stage.stop())

async function checkout() {
  const headers = { authorization: `Bearer ${KEY}`, 'api-version-date': '2026-10-15-1' }
  const body = JSON.stringify({ account_id: ACCOUNT, plan: { initial_price: 7.5, title: 'Crédits ✓' } })
  return (await fetch(`${stage.base}/api/v1/checkout_configurations`, { method: 'POST', headers, body })).json()
}

test('every event of a purchase and its refund is signed correctly', async () => {
  const { id } = await checkout()
  const paid = await stage.pay(id)
  await fetch(`${stage.base}/sandbox/payments/${paid.payment_id}/refund`, { method: 'POST', body: '{"amount":"2.50"}' })
  await stage.inbox.next('refund.updated', paid.payment_id)
  const types = stage.inbox.received.map(({ headers, body }) => verifier.verify(body, headers).type)
  for (const type of ['payment.created', 'payment.succeeded', 'refund.created', 'refund.updated']) {
    assert.ok(types.includes(type), type)
  }
})

test('a changed body, id or time is refused', async () => {
  const { id } = await checkout()
  const paid = await stage.pay(id)
  const { headers, body } = await stage.inbox.next('payment.succeeded', paid.payment_id)
  assert.doesNotThrow(() => verifier.verify(body, headers))
  const earlier = String(Number(headers['webhook-timestamp']) - 1)
  assert.throws(() => verifier.verify(`${body} `, headers))
  assert.throws(() => verifier.verify(body, { ...headers, 'webhook-id': 'msg_other' }))
  assert.throws(() => verifier.verify(body, { ...headers, 'webhook-timestamp': earlier }))
})
