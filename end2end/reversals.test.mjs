// Refunds and disputes: what the buyer sees when money goes back, and that the credits go with it.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, inState, openCheckout, orderOf, pay, signUp } from './steps.mjs'

const { stories, story } = stage()

/** Buys Starter and ends on the paid order's page. */
async function buy(stack, buyer) {
  await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const [{ payment_id: payment }] = await stack.sql`select payment_id from payments where order_id = ${orderOf(buyer.page)}`
  return payment
}

/** What of a payment's credits is taken back, and what waits. */
async function takenBack(stack, payment) {
  const [row] = await stack.sql`select taken_credits::int as taken, frozen_credits::int as frozen from payments where payment_id = ${payment}`
  return row
}

stories('a refund takes its credits back, in parts and then whole', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  const payment = await buy(stack, buyer)

  await stack.control(`payments/${payment}/refund`, { amount: '2.50' })
  await waitFor(async () => (await takenBack(stack, payment)).taken === 1666, 'a third of the credits to be taken back')
  await page.reload()
  await page.getByRole('heading', { name: 'Paid, then taken back' }).waitFor()
  const card = page.locator('#order')
  assert.match(await card.innerText(), /Refunded\s+\$2\.50/)
  assert.match(await card.innerText(), /Credits taken back\s+1,666/)

  await stack.control(`payments/${payment}/refund`, {})
  await waitFor(async () => (await takenBack(stack, payment)).taken === 5000, 'the rest to be taken back')
  assert.equal(await balanceOf(stack, buyer.email), 0)
  await page.goto('/transactions')
  const amounts = await page.locator('.statement .statement-amount').allInnerTexts()
  assert.deepEqual(amounts, ['−3,334', '−1,666', '+5,000'])
  await page.locator('.statement summary').first().click()
  await page.getByRole('link', { name: 'The whole story' }).first().click()
  await page.getByText(payment).waitFor()
})

stories('a dispute holds the credits, and winning it frees them', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  const payment = await buy(stack, buyer)
  await stack.control(`payments/${payment}/dispute`, { status: 'needs_response' })
  await waitFor(async () => (await takenBack(stack, payment)).frozen === 5000, 'the credits to be held')
  await page.reload()
  await page.getByRole('heading', { name: 'Paid, and questioned' }).waitFor()
  await page.goto('/credits')
  await page.getByText('reserved').waitFor()
  assert.match(await page.locator('.balance').innerText(), /Held\s+5,000/)

  await stack.control(`payments/${payment}/dispute`, { status: 'won' })
  await waitFor(async () => (await takenBack(stack, payment)).frozen === 0, 'the credits to be free')
  await page.reload()
  assert.equal(await page.getByText('Held').count(), 0)
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})

story('a dispute that is lost takes the credits, webhooks doubled and out of order', async ({ stack, visit }) => {
  await stack.faults({ webhook_duplicates: 2, webhook_reorder: true })
  const buyer = await visit()
  const payment = await buy(stack, buyer)
  for (const status of ['needs_response', 'under_review', 'lost']) await stack.control(`payments/${payment}/dispute`, { status })
  await waitFor(async () => {
    const { taken, frozen } = await takenBack(stack, payment)
    return taken === 5000 && frozen === 0
  }, 'the credits to be taken', 30_000)
  assert.equal(await balanceOf(stack, buyer.email), 0)
  await waitFor(async () => (await stack.sql`select 1 from provider_events where state not in ('applied', 'ignored')`).length === 0, 'nothing to wait')
  assert.equal((await stack.sql`select 1 from credit_transactions where kind = 'clawback' and payment_id = ${payment}`).length, 1)
})
