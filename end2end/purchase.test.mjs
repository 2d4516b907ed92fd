// Buying credits, as people do it.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, checkoutOf, inState, newestOrder, openCheckout, orderOf, ordersOf, pay, plan, signUp } from './steps.mjs'

const { story, stories } = stage()

/** Counts how often a page is loaded anew from now on. */
function countLoads(page) {
  let loads = 0
  page.on('load', () => (loads += 1))
  return () => loads
}

stories('a buyer signs up, pays, and sees credits, statement and receipt', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await page.goto('/')
  await page.getByRole('heading', { level: 1 }).waitFor()
  for (const price of ['$7.50', '$32.50', 'By agreement']) await page.getByText(price, { exact: true }).first().waitFor()

  await signUp(buyer)
  await openCheckout(buyer)
  assert.ok(page.url().startsWith(stack.sandbox), 'the checkout is at the provider')
  await page.getByText('Due today').waitFor()

  await page.getByRole('button', { name: 'Pay', exact: true }).click()
  await page.waitForURL('**/payment/status?**')
  await inState(page, 'paid').waitFor()
  await page.getByText('+5,000').waitFor()
  const order = orderOf(page)
  await page.getByText('New balance').waitFor()
  assert.match(await page.locator('#order').innerText(), /5,000 credits/)

  await page.getByRole('link', { name: 'Go to your credits' }).click()
  await page.waitForURL('**/credits')
  await page.locator('.balance-chip', { hasText: '5,000' }).waitFor()

  await page.goto('/transactions')
  const line = page.locator('.statement tr', { has: page.locator('.statement-what') })
  assert.equal(await line.count(), 1)
  assert.equal(await line.locator('.statement-amount').innerText(), '+5,000')
  assert.equal(await line.locator('.statement-balance').innerText(), '5,000')
  await line.locator('summary').click()
  await line.getByRole('link', { name: 'The whole story' }).click()
  const [{ payment_id: payment }] = await stack.sql`select payment_id from payments where order_id = ${order}`
  await page.getByText(payment).waitFor()
  await page.getByRole('link', { name: 'Open the receipt' }).click()
  await page.waitForURL(`**/receipt/${order}`)
  const receipt = await page.locator('.receipt').innerText()
  for (const fact of ['$7.50', payment, order, buyer.email, '5,000 credits']) assert.ok(receipt.includes(fact), `${fact} in ${receipt}`)

  assert.equal(await stack.grants(order), 1)
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})

story('an open page turns to paid without being loaded again', async ({ stack, visit }) => {
  const buyer = await visit()
  await signUp(buyer)
  await openCheckout(buyer)
  const checkout = checkoutOf(buyer.page)
  const { id } = await newestOrder(stack, buyer.email)
  await buyer.page.goto(`/payment/status?order=${id}`)
  await inState(buyer.page, 'opened').waitFor()
  await buyer.page.getByRole('link', { name: 'Continue to the checkout' }).waitFor()
  await buyer.awake()
  const loads = countLoads(buyer.page)
  await buyer.page.evaluate(() => (globalThis.sameDocument = true))
  await stack.control('pay', { checkout_id: checkout })
  await inState(buyer.page, 'paid').waitFor()
  await buyer.page.locator('.balance-chip', { hasText: '5,000' }).waitFor()
  await buyer.page.getByRole('status').filter({ hasText: 'Paid. Your credits are here' }).waitFor({ state: 'attached' })
  assert.equal(await buyer.page.evaluate(() => globalThis.sameDocument), true)
  assert.equal(loads(), 0)
})

stories('a declined card is said with its reason, and trying again pays the same order', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  await openCheckout(buyer)
  const checkout = page.url()
  await page.getByRole('button', { name: 'Decline' }).click()
  await page.getByText('The payment did not go through').waitFor()
  const order = await waitFor(async () => {
    const order = await newestOrder(stack, buyer.email)
    return order.state === 'failed' && order
  }, 'the failed order')
  await page.goto(`/payment/status?order=${order.id}`)
  await inState(page, 'failed').waitFor()
  await page.getByRole('heading', { name: 'The payment did not go through' }).waitFor()
  assert.match(await page.locator('#order').innerText(), /No money moved/)
  assert.match(await page.locator('#order').innerText(), /Your bank declined this payment/)
  assert.equal(await balanceOf(stack, buyer.email), 0)

  await page.getByRole('link', { name: 'Try again' }).click()
  await page.waitForURL(checkout)
  await pay(buyer)
  await inState(page, 'paid').waitFor()
  assert.equal(orderOf(page), order.id)
  assert.equal((await ordersOf(stack, buyer.email)).length, 1)
  assert.equal(await stack.grants(order.id), 1)
})

stories('a double click on Buy credits makes one checkout and one order', async ({ stack, visit }) => {
  const buyer = await visit()
  await signUp(buyer)
  await buyer.awake()
  const before = (await stack.checkouts()).length
  await stack.faults({ api_latency_ms: 300 })
  await plan(buyer.page, 'Starter').getByRole('button', { name: 'Buy credits' }).dblclick()
  await buyer.page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
  assert.equal((await stack.checkouts()).length, before + 1)
  assert.equal((await ordersOf(stack, buyer.email)).length, 1)
})

stories('the form sent again after Back leads to the same checkout', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  await buyer.awake()
  const key = await plan(page, 'Starter').locator('input[name=key]').inputValue()
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
  const first = page.url()
  await page.goBack()
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).waitFor()
  // Whether the browser kept the page or asked for it anew is its own business; the old form is what matters here.
  await plan(page, 'Starter').locator('input[name=key]').evaluate((input, key) => (input.value = key), key)
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
  assert.equal(page.url(), first)
  assert.equal((await ordersOf(stack, buyer.email)).length, 1)
})

story('a paid form sent again shows the order and charges nothing', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  const key = await plan(page, 'Starter').locator('input[name=key]').inputValue()
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await pay(buyer)
  await inState(page, 'paid').waitFor()
  const order = orderOf(page)
  await page.goto('/credits')
  await plan(page, 'Starter').locator('input[name=key]').evaluate((input, key) => (input.value = key), key)
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await page.waitForURL(`**/payment/status?order=${order}`)
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})

stories('two buyers side by side each see only their own', async ({ stack, visit }) => {
  const [ana, ben] = [await visit(), await visit()]
  await Promise.all([signUp(ana), signUp(ben)])
  await Promise.all([openCheckout(ana, 'Starter'), openCheckout(ben, 'Pro')])
  await Promise.all([pay(ana), pay(ben)])
  await Promise.all([inState(ana.page, 'paid').waitFor(), inState(ben.page, 'paid').waitFor()])
  assert.equal(await balanceOf(stack, ana.email), 5000)
  assert.equal(await balanceOf(stack, ben.email), 25000)
  const order = orderOf(ana.page)
  ben.expected.push(/status of 404/)
  const withoutIds = (text, id) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…').replaceAll(id, '…')
  for (const path of [(id) => `/payment/status?order=${id}`, (id) => `/receipt/${id}`]) {
    const pages = []
    for (const id of [order, '01999999-9999-7999-8999-999999999999', 'nonsense']) {
      const answer = await ben.page.goto(path(id))
      assert.equal(answer.status(), 404)
      const text = await ben.page.locator('main').innerText()
      assert.ok(!text.includes('Starter'))
      pages.push(withoutIds(text, id))
    }
    assert.deepEqual(pages, [pages[0], pages[0], pages[0]], 'a foreign order is as unknown as none')
  }
  const events = await ben.context.request.get(`/payment/events?order=${order}`)
  assert.equal(events.status(), 404)
  await ben.page.goto('/transactions')
  assert.ok(!(await ben.page.locator('main').innerText()).includes('+5,000'))
})

stories('credits by agreement are requested with a note', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  const card = plan(page, 'Enterprise')
  await card.getByText('Ask for an offer').click()
  await card.getByLabel('Note (optional)').fill('Bill us each quarter.\nThank you & <b>bye</b>')
  await card.getByRole('button', { name: 'Request credits' }).click()
  await page.waitForURL('**/payment/status?**')
  await inState(page, 'requested').waitFor()
  await page.getByRole('heading', { name: 'Your request is with us' }).waitFor()
  await page.getByText('Thank you & <b>bye</b>').waitFor()
  await page.goto('/credits')
  await page.getByText('Requested').waitFor()
  const [order] = await ordersOf(stack, buyer.email)
  assert.equal(order.provider, 'manual')
  assert.equal(order.price_minor, null)
  assert.equal(await balanceOf(stack, buyer.email), 0)
})

stories('a bank debit is shown as processing, and turns by itself when it settles', async ({ stack, visit }) => {
  await stack.faults({ bank_debit_hold: true })
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  await openCheckout(buyer)
  await page.getByRole('button', { name: 'Pay by bank debit' }).click()
  await page.waitForURL('**/payment/status?**')
  await inState(page, 'processing').waitFor()
  await page.getByText('credits arrive on their own').waitFor()
  assert.equal(await balanceOf(stack, buyer.email), 0)
  await buyer.awake()
  const [{ payment_id: payment }] = await stack.sql`select payment_id from payments where order_id = ${orderOf(page)}`
  await stack.control(`payments/${payment}/settle`, { outcome: 'succeeded' })
  await inState(page, 'paid').waitFor()
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})
