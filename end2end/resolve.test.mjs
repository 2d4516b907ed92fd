// What those who look after Atlas do where the machine could not go on: notes, payments without an order, jobs that gave up.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { findings, overflow } from './axe.mjs'
import { balanceOf, inState, newestOrder, openCheckout, pay, signIn, signUp, unfold } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

async function admin(visit, settings) {
  const visitor = await visit(settings)
  await signIn(visitor, 'admin@example.com', 'admin-demo-password')
  await visitor.page.waitForURL('**/credits')
  return visitor
}

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })

/** A buyer who paid once, and then opened another checkout. */
async function whoBought(visit, stack) {
  const buyer = await visit()
  const email = await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  await openCheckout(buyer)
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  return { email, id, order: await newestOrder(stack, email) }
}

/** The webhook of somebody's payment, sent as that of another one through a checkout that nobody here knows. */
async function strayPayment(stack, email) {
  const [{ body }] = await stack.sql`select convert_from(e.body, 'UTF8') as body from provider_events e join credit_orders o on o.id = e.order_id join user_profiles p on p.id = o.buyer_id where p.email = ${email} and e.kind = 'payment.succeeded' limit 1`
  const event = JSON.parse(body)
  const payment = `pay_${randomBytes(7).toString('hex')}`
  Object.assign(event.data, { id: payment, checkout_configuration_id: `ch_${randomBytes(7).toString('hex')}`, metadata: {} })
  const stray = JSON.stringify(event)
  const answer = await fetch(`${stack.app}/api/webhooks/whop`, { method: 'POST', headers: stack.sign(stray), body: stray })
  assert.equal(answer.status, 200)
  const [{ id, reason }] = await stack.sql`select id, reason from provider_events where payment_id = ${payment}`
  assert.equal(reason, 'unknown_order')
  return id
}

stories('a payment without an order is linked to one with a reason', async ({ stack, visit }) => {
  const { email, order } = await whoBought(visit, stack)
  const before = Number(await balanceOf(stack, email))
  const event = await strayPayment(stack, email)
  const { page } = await admin(visit)
  await page.goto(`/admin/events/${event}`)
  const button = page.getByRole('button', { name: 'Link to the order' })
  await page.getByLabel('Order id').fill('an <b>order</b>')
  await page.getByLabel('How you know').fill(' ')
  await button.click()
  await summary(page).waitFor()
  assert.equal(await page.getByLabel('Order id').inputValue(), 'an <b>order</b>')
  await page.getByRole('link', { name: 'Say why, in a few words.' }).waitFor()
  await page.getByLabel('Order id').fill(order.id)
  await page.getByLabel('How you know').fill('They sent us the receipt')
  await button.click()
  await page.getByText('The payment counts for this order now, and its credits are given.').waitFor()
  assert.equal(Number(await balanceOf(stack, email)), before + 5_000)
  await page.goto(`/admin/events/${event}`)
  assert.equal(await button.count(), 0, 'it is settled')
})

stories('notes stand at the person and at the order, as they were written', async ({ stack, visit }) => {
  const { id, order } = await whoBought(visit, stack)
  const { page } = await admin(visit)
  for (const path of [`/admin/people/${id}`, `/admin/orders/${order.id}`]) {
    await page.goto(path)
    await unfold(page, 'Write a note')
    await page.getByLabel('A note for the others').fill(' ')
    await page.getByRole('button', { name: 'Add the note' }).click()
    await summary(page).waitFor()
    await page.getByLabel('A note for the others').fill(`Called <i>twice</i>\nabout ${path}`)
    await page.getByRole('button', { name: 'Add the note' }).click()
    await page.getByText('The note is written down.').waitFor()
    const notes = page.getByRole('region', { name: 'Notes' })
    await notes.getByText(`Called <i>twice</i>`).waitFor()
    await notes.getByText('admin@example.com').waitFor()
  }
})

stories('a job that gave up is tried again', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  await stack.change`select graphile_worker.add_job('replay_event', json_build_object('event', gen_random_uuid()), max_attempts => 1)`
  const jobs = page.getByRole('region', { name: 'Jobs that gave up' })
  const again = jobs.getByRole('button', { name: /^Try again: job \d+$/ })
  for (let tries = 0; (await again.count()) === 0; tries++) {
    assert.ok(tries < 100, 'it did not give up in time')
    await page.goto('/admin/events')
  }
  // The one of the other variant may have given up again meanwhile.
  await jobs.getByText('not found').first().waitFor()
  await again.first().click()
  await page.getByText('The job is tried again at once.').waitFor()
  const [{ retried }] = await stack.sql`select count(*)::int as retried from audit_entries where deed = 'job_retried'`
  assert.ok(retried >= 1)
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`what is to be resolved reads well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const { email, id, order } = await whoBought(visit, stack)
      const event = await strayPayment(stack, email)
      await stack.change`insert into notes (person_id, author_id, text) select ${id}, id, repeat('a long note ', 40) from user_profiles where email = 'admin@example.com'`
      const { page } = await admin(visit, { colorScheme, width })
      for (const path of [`/admin/events/${event}`, '/admin/events', `/admin/people/${id}`, `/admin/orders/${order.id}`]) {
        await page.goto(path)
        await page.getByRole('heading', { level: 1 }).waitFor()
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
    })
  }
}
