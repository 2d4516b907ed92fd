// When it happens: what docs/incident.md says an operator can do, done to a service that runs.

import assert from 'node:assert/strict'
import { waitFor } from './stack.mjs'
import { inState, openCheckout, orderOf, pay, plan, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

stories('payments that an operator stops are stopped within a second, and what was under way is booked', async ({ stack, visit }) => {
  const [buying, looking] = [await visit(), await visit()]
  await signUp(buying)
  await signUp(looking)
  await openCheckout(buying)
  await looking.page.goto('/credits')
  const button = plan(looking.page, 'Starter').getByRole('button', { name: 'Buy credits' })
  await button.waitFor()
  await looking.awake()

  assert.match(await stack.atlas('payments', 'stop', '--message', 'We are moving. Back at 14:00 UTC.'), /Payments are stopped/)
  try {
    await button.click()
    await looking.page.getByText('Payments are stopped just now. Nothing was charged.').waitFor()
    await waitFor(async () => {
      await looking.page.goto('/credits')
      return (await looking.page.getByText('We are moving. Back at 14:00 UTC.').count()) > 0
    }, 'the message')
    assert.equal(await looking.page.getByRole('button', { name: 'Buy credits' }).count(), 0)
    assert.deepEqual(await stack.sql`select 1 from credit_orders o join user_profiles p on p.id = o.buyer_id where p.email = ${looking.email}`, [])

    await pay(buying)
    await inState(buying.page, 'paid').waitFor()
    assert.ok(orderOf(buying.page))
  } finally {
    assert.equal(await stack.atlas('payments', 'start'), 'Payments go on.')
  }
  // What is for sale is read anew each second; until then the page says that nothing is.
  await waitFor(async () => {
    await looking.page.goto('/credits')
    return (await button.count()) > 0
  }, 'the button')
  await openCheckout(looking)
})

story('sessions that an operator ends are over with the next request', async ({ stack, visit }) => {
  const [ana, ben, admin] = [await visit(), await visit(), await visit()]
  await signUp(ana)
  await signUp(ben)
  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await admin.page.waitForURL('**/credits')
  const isIn = async (visitor) => {
    await visitor.page.goto('/account')
    return new URL(visitor.page.url()).pathname === '/account'
  }
  await stack.atlas('session', 'end', '--person', ana.email)
  assert.deepEqual([await isIn(ana), await isIn(ben), await isIn(admin)], [false, true, true])
  await stack.atlas('session', 'end', '--role', 'admin')
  assert.deepEqual([await isIn(ben), await isIn(admin)], [true, false])
  await stack.atlas('session', 'end', '--all')
  assert.equal(await isIn(ben), false)
})

story('what a leaked key did, and who did what, can be read and exported', async ({ stack, visit }) => {
  const visitor = await visit()
  const email = await signUp(visitor)
  const [{ id: owner }] = await stack.sql`select id from user_profiles where email = ${email}`
  await openCheckout(visitor)
  await pay(visitor)
  await inState(visitor.page, 'paid').waitFor()
  const made = JSON.parse(await stack.atlas('key', 'create', '--name', 'Shop', '--app', 'shop', '--json'))
  for (const credits of [7, 30]) {
    const answer = await fetch(`${stack.app}/api/v1/spend`, {
      method: 'POST',
      headers: { authorization: `Bearer ${made.key}`, 'content-type': 'application/json', 'idempotency-key': `k-${credits}` },
      body: JSON.stringify({ owner, credits, description: '=1+1' }),
    })
    assert.equal(answer.status, 200, await answer.text())
  }
  const found = JSON.parse(await stack.atlas('key', 'activity', made.id, '--json'))
  assert.deepEqual([found.transactions, found.wallets, found.credits], [2, 1, 37])
  assert.ok(found.newest.every(({ person }) => person === owner))
  await stack.atlas('key', 'revoke', made.id)

  const lines = (await stack.atlas('audit', 'export', '--json')).split('\n').map((line) => JSON.parse(line))
  const about = lines.filter(({ about_id: id }) => id === made.id).map(({ deed }) => deed)
  assert.deepEqual(about, ['key_created', 'key_revoked'])
  assert.deepEqual(lines.map(({ number }) => number), lines.map((_, place) => place + 1), 'none is missing')
  const csv = await stack.atlas('audit', 'export', '--csv')
  assert.equal(csv.trim().split('\r\n').length, lines.length + 1)
  const mine = JSON.parse(await stack.atlas('audit', 'list', '--person', email, '--json'))
  assert.deepEqual(mine.map(({ deed }) => deed), ['signed_in', 'registered'])
  assert.match(mine[0].network, /^198\.18\.\d+\.0\/24$/)
  assert.match(await stack.atlas('audit', 'verify'), /all whole/)
  const { hash, entries } = JSON.parse(await stack.atlas('audit', 'verify', '--json'))
  assert.equal(await stack.atlas('audit', 'verify', '--number', String(entries), '--hash', hash), `Entry ${entries} is what it was.`)
})

story('an audit that was changed is told, and the command fails', async ({ stack, visit }) => {
  await signUp(await visit())
  await stack.damage(`alter table audit_entries disable trigger all; update audit_entries set network = null where deed = 'registered' and network is not null; alter table audit_entries enable trigger all`)
  await assert.rejects(stack.atlas('audit', 'verify'), ({ stdout, stderr }) => /These do not hold: \[[\d, ]+\]/.test(stdout) && stderr.includes('the audit was changed'))
})
