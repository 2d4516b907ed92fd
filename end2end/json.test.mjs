// The routes that clients of ours call as JSON, from a page of somebody who is signed in.

import assert from 'node:assert/strict'
import { balanceOf, inState, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story } = stage()

/** Asks as a script on the page would. */
const ask = (page, path, { method = 'GET', body, key } = {}) =>
  page.evaluate(
    async ({ path, method, body, key }) => {
      const headers = { ...(body && { 'content-type': 'application/json' }), ...(key && { 'idempotency-key': key }) }
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
      return { status: answer.status, body: await answer.json(), replayed: answer.headers.get('idempotent-replayed') }
    },
    { path, method, body, key },
  )

async function planId(stack, slug) {
  const [{ id }] = await stack.sql`select id from plans where slug = ${slug}`
  return id
}

story('a script begins an order, its buyer pays it, and the list says so', async ({ stack, visit }) => {
  const buyer = await visit()
  const { page } = buyer
  await signUp(buyer)
  assert.deepEqual((await ask(page, '/api/credit-orders')).body, { orders: [], next: null })

  const wish = { method: 'POST', key: 'story-order-1', body: { plan: await planId(stack, 'starter') } }
  const [order, twin] = await Promise.all([ask(page, '/api/credit-orders', wish), ask(page, '/api/credit-orders', wish)])
  assert.deepEqual([order.status, order.body.state], [201, 'opened'])
  assert.equal(twin.body.id, order.body.id, 'the same key at the same moment is one order')
  const again = await ask(page, '/api/credit-orders', wish)
  assert.deepEqual([again.body.id, again.replayed], [order.body.id, 'true'])

  await page.goto(order.body.checkout_url)
  await page.getByRole('button', { name: 'Pay', exact: true }).click()
  await page.waitForURL('**/payment/status?**')
  await inState(page, 'paid').waitFor()
  const { body } = await ask(page, '/api/credit-orders')
  assert.deepEqual(body.orders.map(({ id, state, credits, checkout_url }) => [id, state, credits, checkout_url]), [
    [order.body.id, 'paid', 5_000, null],
  ])
  assert.ok(body.orders[0].settled_at >= body.orders[0].created_at)
  assert.equal(Number(await balanceOf(stack, buyer.email)), 5_000)
})

story('a script of an admin finds a request and approves it', async ({ stack, visit }) => {
  const [buyer, admin] = [await visit(), await visit()]
  await signUp(buyer)
  const wish = { plan: await planId(stack, 'enterprise'), note: 'For 12 people' }
  const asked = await ask(buyer.page, '/api/credit-orders', { method: 'POST', key: 'story-request-1', body: wish })
  assert.deepEqual([asked.status, asked.body.state, asked.body.checkout_url], [201, 'requested', null])

  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await admin.page.waitForURL('**/credits')
  const found = await ask(admin.page, `/api/admin/credit-orders?state=requested&q=${encodeURIComponent(buyer.email)}`)
  assert.deepEqual(found.body.orders.map(({ id, buyer_email }) => [id, buyer_email]), [[asked.body.id, buyer.email]])

  const place = `/api/admin/credit-orders/${asked.body.id}`
  const answer = { state: 'approved', credits: 80_000, reason: 'Agreed on the phone' }
  const approved = await ask(admin.page, place, { method: 'PATCH', body: answer })
  assert.deepEqual([approved.status, approved.body.state, approved.body.answer.by], [200, 'approved', 'admin@example.com'])
  assert.equal(Number(await balanceOf(stack, buyer.email)), 80_000)
  assert.equal(await stack.grants(asked.body.id), 1)

  // The pages tell the same.
  await buyer.page.goto(`/payment/status?order=${asked.body.id}`)
  await inState(buyer.page, 'approved').waitFor()
  await buyer.page.getByText('+80,000').waitFor()
  await admin.page.goto(`/admin/orders/${asked.body.id}`)
  await admin.page.getByText('Approved, 80,000 credits, by admin@example.com').waitFor()
})

story('the description is there for everybody, and names what was called', async ({ visit }) => {
  const { page } = await visit()
  await page.goto('/')
  const { body } = await ask(page, '/api/openapi.json')
  assert.match(body.openapi, /^3\.1/)
  assert.deepEqual(Object.keys(body.paths['/api/credit-orders']), ['get', 'post'])
})
