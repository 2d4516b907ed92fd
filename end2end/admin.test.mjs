// Those who look after Atlas: people, events, the audit, and the switch that stops payments.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { findings, overflow } from './axe.mjs'
import { balanceOf, inState, openCheckout, pay, plan, signIn, signUp, staleConfirmations, unfold, unfoldAll } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })

async function admin(visit, settings) {
  const visitor = await visit(settings)
  await signIn(visitor, 'admin@example.com', 'admin-demo-password')
  await visitor.page.waitForURL('**/credits')
  return visitor
}

async function whoBought(visit, stack) {
  const buyer = await visit()
  const email = await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  return { buyer, email, id }
}

const nav = (page, name) => page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name })

stories('a form that was left open for too long comes back as it was typed', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  await page.goto('/admin/settings')
  await page.getByLabel('What buyers read meanwhile').fill('Back at <b>noon</b>.')
  await staleConfirmations(stack)
  await page.getByRole('button', { name: 'Stop payments' }).click()
  await page.waitForURL('**/confirm?**')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await summary(page).waitFor()
  await page.getByLabel('Password').fill('admin-demo-password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.waitForURL('**/admin/settings')
  assert.equal(await page.getByLabel('What buyers read meanwhile').inputValue(), 'Back at <b>noon</b>.')
  assert.deepEqual(await stack.sql`select 1 from settings`, [])
  await page.goto('/admin/settings')
  assert.equal(await page.getByLabel('What buyers read meanwhile').inputValue(), '', 'once')
})

stories('payments are stopped and started again by a page', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  const buyer = await visit()
  await signUp(buyer)
  await page.goto('/admin')
  await page.getByRole('main').getByRole('link', { name: 'Settings', exact: true }).click()
  await page.getByRole('button', { name: 'Stop payments' }).waitFor()
  // A blank gets past the browser, and not past us.
  await page.getByLabel('What buyers read meanwhile').fill(' ')
  await page.getByRole('button', { name: 'Stop payments' }).click()
  await summary(page).waitFor()
  await page.getByLabel('What buyers read meanwhile').fill('Back at <b>noon</b>.')
  await page.getByRole('button', { name: 'Stop payments' }).click()
  try {
    await page.getByText('Payments are stopped, everywhere within a second.').waitFor()
    await page.getByRole('region', { name: 'Payments', exact: true }).getByText('Back at <b>noon</b>.').waitFor()
    await assertSoon(async () => {
      await buyer.page.goto('/credits')
      return (await buyer.page.getByText('Back at <b>noon</b>.').count()) === 1
    })
    assert.equal(await buyer.page.getByRole('button', { name: 'Buy credits' }).count(), 0)
    await page.getByRole('link', { name: 'When they were stopped, and by whom' }).click()
    await page.getByRole('row').filter({ hasText: 'payments stopped' }).first().waitFor()
    await nav(page, 'Settings').click()
  } finally {
    await page.goto('/admin/settings')
    await page.getByRole('button', { name: 'Let payments go on' }).click()
    await page.getByText('Payments go on.').waitFor()
  }
  await assertSoon(async () => {
    await buyer.page.goto('/credits')
    return (await plan(buyer.page, 'Starter').getByRole('button', { name: 'Buy credits' }).count()) === 1
  })
})

stories('"where are my credits?" is answered from a search, and a role is given with a reason', async ({ stack, visit }) => {
  const { buyer, email, id } = await whoBought(visit, stack)
  const { page } = await admin(visit)
  await page.goto('/admin/people')
  await page.getByLabel('Search').fill(email.slice(0, 15).toUpperCase())
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByRole('link', { name: email }).click()
  await page.getByText('5,000 credits').first().waitFor()
  const lots = page.getByRole('region', { name: 'What is left, in the order of spending' })
  await lots.getByText('Bought').waitFor()
  await page.getByRole('region', { name: 'The last orders' }).getByRole('link').click()
  await page.getByRole('heading', { name: `Order of ${email}` }).waitFor()
  await page.goBack()

  await unfold(page, 'Change the role')
  await page.getByLabel('Role').selectOption('support')
  const reason = page.locator('form').filter({ has: page.getByRole('button', { name: 'Change the role' }) }).getByLabel('Reason')
  await reason.fill(' ')
  await page.getByRole('button', { name: 'Change the role' }).click()
  await summary(page).waitFor()
  assert.equal(await page.getByLabel('Role').inputValue(), 'support', 'what was chosen is kept')
  await reason.fill('Joins the <i>team</i>')
  await page.getByRole('button', { name: 'Change the role' }).click()
  await page.getByText('The role is Support now.').waitFor()
  await buyer.page.goto('/account')
  assert.equal(new URL(buyer.page.url()).pathname, '/sign-in', 'new rights begin with a new session')
  await page.getByRole('link', { name: 'What they did, and what was done about them' }).click()
  await page.getByText('Joins the <i>team</i>').waitFor()
  assert.ok(page.url().includes(id))

})

stories('somebody’s sessions are seen with where they are, and ended one by one or all at once', async ({ stack, visit }) => {
  const buyer = await visit()
  const email = await signUp(buyer)
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  const others = [await visit(), await visit()]
  for (const other of others) {
    await signIn(other, email)
    await other.page.waitForURL('**/credits')
  }
  await stack.sql`update sessions set data = jsonb_set(data, '{agent}', '"Mozilla/5.0 (X11; Linux) Firefox/140.0 <b>"') where person_id = ${id} and id_hash = (select id_hash from sessions where person_id = ${id} order by created_at desc limit 1) returning 1 as one`
  const { page } = await admin(visit)
  await page.goto(`/admin/people/${id}`)
  await page.getByText('In 3 browsers').waitFor()
  await unfold(page, 'See where they are signed in')
  await page.getByText(/^198\.18\.\d+\.0\/24$/).first().waitFor()
  const why = page.getByLabel('Why it ends there')
  await why.fill(' ')
  await page.getByRole('button', { name: 'End Firefox on Linux' }).click()
  await summary(page).waitFor()
  assert.equal((await stack.sql`select 1 as one from sessions where person_id = ${id}`).length, 3, 'nothing ends without a reason')
  await why.fill('A <b>stolen</b> laptop')
  await page.getByRole('button', { name: 'End Firefox on Linux' }).click()
  await page.getByText('One session is over.').waitFor()
  await page.getByText('In 2 browsers').waitFor()
  await others[1].page.goto('/account')
  assert.equal(new URL(others[1].page.url()).pathname, '/sign-in')
  await unfold(page, 'See where they are signed in')
  await why.fill('A <b>stolen</b> laptop')
  await page.getByRole('button', { name: 'End all' }).click()
  await page.getByText('2 sessions are over.').waitFor()
  for (const visitor of [buyer, others[0]]) {
    await visitor.page.goto('/account')
    assert.equal(new URL(visitor.page.url()).pathname, '/sign-in')
  }
  await page.goto(`/admin/audit?who=${id}`)
  assert.equal(await page.getByText('A <b>stolen</b> laptop').count(), 2)
  // By their names, and what changed in words.
  const entry = page.getByRole('row').filter({ hasText: 'A <b>stolen</b> laptop' }).first()
  await entry.getByRole('link', { name: 'admin@example.com' }).waitFor()
  await entry.locator('.changes dt', { hasText: 'sessions ended' }).waitFor()

  // Support sees, and ends nothing.
  await stack.sql`update user_profiles set role = 'support' where id = ${id} returning id`
  await signIn(buyer, email)
  await buyer.page.waitForURL('**/credits')
  await buyer.page.goto(`/admin/people/${id}`)
  await buyer.page.getByText('In one browser').waitFor()
  await unfold(buyer.page, 'See where they are signed in')
  await buyer.page.getByText('Last used').first().waitFor()
  assert.equal(await buyer.page.getByRole('button', { name: /^End/ }).count(), 0)
})

stories('an event that failed is applied again, and another is put away', async ({ stack, visit }) => {
  const { email } = await whoBought(visit, stack)
  const { page } = await admin(visit)
  const before = await balanceOf(stack, email)
  const parked = await stack.sql`update provider_events set state = 'parked', reason = 'failed' where kind = 'payment.succeeded' and order_id in (select o.id from credit_orders o join user_profiles p on p.id = o.buyer_id where p.email = ${email}) returning id`
  const [{ id }] = parked
  await page.goto('/admin/events')
  await page.getByText('somebody has to look').waitFor()
  await page.getByLabel('State').selectOption('parked')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.getByRole('link', { name: 'payment.succeeded' }).first().click()
  await page.goto(`/admin/events/${id}`)
  await page.getByText('"payment.succeeded"').waitFor()
  const headers = await page.getByRole('region', { name: 'Its headers' }).innerText()
  assert.match(headers, /webhook-id: msg_\w+\nwebhook-timestamp: \d{10}\nwebhook-signature: v1,… \(not kept/)
  await page.getByRole('button', { name: 'Apply again' }).click()
  await page.getByText('Applied: what it is about is up to date with it.').waitFor()
  assert.equal(await balanceOf(stack, email), before, 'its payment was granted before, and once')

  await stack.sql`update provider_events set state = 'quarantined', reason = 'unknown_order' where id = ${id} returning id`
  await page.reload()
  await page.getByLabel('Why it will never be applied').fill('A test of theirs')
  await page.getByRole('button', { name: 'Put it away' }).click()
  await page.getByText('The event is put away.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Apply again' }).count(), 0)
  for (const other of parked.slice(1)) await stack.sql`update provider_events set state = 'applied', reason = null where id = ${other.id} returning id`
})

story('nobody is at these places but whom they are for', async ({ stack, visit }) => {
  const { buyer, email, id } = await whoBought(visit, stack)
  const [{ id: event }] = await stack.sql`select id from provider_events order by id desc limit 1`
  buyer.expected.push(/status of 404/)
  const all = ['/admin/people', `/admin/people/${id}`, '/admin/events', `/admin/events/${event}`, '/admin/audit', '/admin/settings', '/admin/plans']
  for (const path of all) {
    assert.equal((await buyer.page.goto(path)).status(), 404, path)
    assert.equal((await buyer.page.getByRole('navigation', { name: 'Administration' }).count()), 0)
  }
  await stack.atlas('user', 'role', email, 'support', '--why', 'a test')
  await signIn(buyer, email)
  await buyer.page.waitForURL('**/credits')
  const statuses = []
  for (const path of all) statuses.push((await buyer.page.goto(path)).status())
  assert.deepEqual(statuses, [200, 200, 200, 200, 404, 404, 404], 'support reads, and is not told of the rest')
  await buyer.page.goto(`/admin/people/${id}`)
  assert.equal(await buyer.page.getByRole('button', { name: 'Change the role' }).count(), 0)
  await buyer.page.goto('/admin/people?q=%00%27%22%3Cscript%3E')
  await buyer.page.getByText('Nobody is found by this.').waitFor()
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`the places of those who look after Atlas read well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const { id } = await whoBought(visit, stack)
      const [{ id: event }] = await stack.sql`select id from provider_events order by id desc limit 1`
      const { page } = await admin(visit, { colorScheme, width })
      for (const path of [
        '/admin', '/admin/people', `/admin/people/${id}`, '/admin/people?q=nobody', '/admin/events', '/admin/events?state=parked',
        `/admin/events/${event}`, '/admin/audit', '/admin/audit?deed=vault_rotated', '/admin/settings',
      ]) {
        await page.goto(path)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await unfoldAll(page)
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
    })
  }
}

/** A change reaches the pages within a second; so it is looked for until it is there. */
async function assertSoon(holds) {
  const until = Date.now() + 15_000
  while (!(await holds())) assert.ok(Date.now() < until, 'it did not come in time')
}

stories('the overview tells a period from the one before it, in charts with tables', async ({ stack, visit }) => {
  await whoBought(visit, stack)
  const visitor = await admin(visit)
  const { page } = visitor
  await page.goto('/admin')
  await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor()
  await page.getByRole('img', { name: /^From checkout to payment/ }).waitFor()
  await page.getByLabel('Period').selectOption('today')
  await page.getByLabel('Time zone').selectOption('Asia/Kathmandu')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.getByText('by the clocks of Kathmandu; compared with the day before').waitFor()
  assert.match(page.url(), /period=today&.*zone=Asia(%2F|\/)Kathmandu/)
  const [{ sold }] = await stack.sql`select count(*)::text as sold from credit_transactions where kind = 'grant' and payment_id is not null
    and created_at >= date_trunc('day', now(), 'Asia/Kathmandu')`
  const figures = page.getByRole('region', { name: 'Six numbers' })
  await figures.getByText(new RegExp(`^${Number(sold).toLocaleString('en')} approvals? avoided`)).waitFor()
  const table = page.getByRole('figure').filter({ has: page.getByRole('heading', { name: 'From checkout to payment' }) })
  await table.getByText('As a table').press('Enter')
  await table.getByRole('rowheader', { name: 'Paid' }).waitFor()
  const slowest = page.getByRole('region', { name: 'The slowest' })
  if (await slowest.count()) await slowest.getByRole('link').first().click()

  await page.goto('/admin?period=dates&from=2026-02-30&to=&zone=Mars')
  await summary(page).waitFor()
  await summary(page).getByRole('link', { name: 'Choose a time zone from the list.' }).waitFor()
  assert.equal(await page.getByLabel('First day').getAttribute('aria-invalid'), 'true')
  await page.goto('/admin?period=dates&from=2001-01-01&to=2001-01-02')
  await page.getByRole('heading', { name: 'Nothing happened in this time' }).waitFor()
  assert.equal((await overflow(page)).excess, 0)
})

stories('the orders that are chosen are sorted, and taken along as a file that is written down', async ({ stack, visit }) => {
  const { email } = await whoBought(visit, stack)
  const { page } = await admin(visit)
  await page.goto('/admin/orders')
  await page.getByLabel('Search').fill(email)
  await page.getByLabel('Order', { exact: true }).selectOption('oldest')
  await page.getByLabel('Provider').selectOption('whop')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByRole('cell', { name: email }).first().waitFor()
  assert.match(page.url(), /sort=oldest/)
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()])
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n')
  assert.equal(lines[0], 'order,made,state,provider,buyer,plan,credits,price,currency,settled')
  assert.equal(lines.length, 2)
  assert.ok(lines[1].includes(`"${email}"`) && lines[1].includes('"7.50","USD"'), lines[1])

  // By plan, and by when they were settled: what is only open is not among them.
  await page.getByLabel('Order', { exact: true }).selectOption('last-settled')
  await page.getByLabel('Plan').selectOption('Starter')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByText('Only orders that were paid or decided.').waitFor()
  await page.getByRole('cell', { name: email }).waitFor()
  assert.match(page.url(), /plan=[0-9a-f-]{36}&.*sort=last-settled/)
  await page.getByLabel('Plan').selectOption('Pro')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByText('No order fits this search.').waitFor()
  const [empty] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()])
  assert.equal((await readFile(await empty.path(), 'utf8')).trim().split('\r\n').length, 1, 'the file follows the filters')
  await page.goto('/admin/audit?deed=data_exported')
  await page.getByRole('row').filter({ hasText: 'orders' }).first().waitFor()
})
