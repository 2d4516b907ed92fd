// One's own data: taking it along, and leaving for good. Who looks after Atlas has a door that others don't see.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { waitFor } from './stack.mjs'
import { balanceOf, inState, openCheckout, password, pay, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })

async function buysStarter(visitor) {
  await openCheckout(visitor)
  await pay(visitor)
  await inState(visitor.page, 'paid').waitFor()
}

async function downloaded(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()])
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') }
}

stories('a person takes along everything that is kept about them', async ({ stack, visit }) => {
  const visitor = await visit()
  const email = await signUp(visitor)
  await buysStarter(visitor)
  await visitor.page.goto('/account')
  const json = await downloaded(visitor.page, 'Download as JSON')
  assert.equal(json.name, 'atlas-my-data.json')
  const data = JSON.parse(json.text)
  assert.deepEqual(Object.keys(data), ['profile', 'sessions', 'ways_in', 'orders', 'notes', 'payments', 'refunds', 'statement', 'before_the_move', 'mails', 'audit'])
  assert.equal(data.profile[0].email, email)
  assert.equal(data.orders[0].state, 'paid')
  assert.equal(data.statement[0].credits, await balanceOf(stack, email))
  assert.deepEqual(data.audit.map(({ deed }) => deed), ['registered', 'signed_in'])
  const csv = await downloaded(visitor.page, 'Download as CSV')
  assert.equal(csv.name, 'atlas-my-data.csv')
  assert.match(csv.text, new RegExp(`"profile","1","email","${email}"\r\n`))
})

stories('an account is deleted after its owner was told what is lost, and nobody signs in to it again', async ({ stack, visit }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = await signUp(visitor)
  await buysStarter(visitor)
  const balance = await balanceOf(stack, email)
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  await page.goto('/account')
  await page.getByRole('link', { name: 'Delete this account' }).click()
  await page.getByRole('heading', { name: 'Delete your account' }).waitFor()
  const lost = `${balance.toLocaleString('en')} credits`
  assert.ok((await page.getByRole('main').innerText()).includes(`You will lose ${lost}`))
  const button = page.getByRole('button', { name: `Delete account and lose ${lost}` })
  // Whoever comes back to a page that was left open has to show first that it is them.
  await stack.sql`update sessions set confirmed_at = now() - interval '6 minutes' where person_id = ${id} returning 1 as one`
  await button.click()
  await page.waitForURL('**/confirm?**')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await summary(page).waitFor()
  assert.equal((await stack.sql`select 1 from user_profiles where email = ${email}`).length, 1, 'nothing was done')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.waitForURL('**/account/delete')
  await button.click()
  await page.waitForURL('**/sign-in')
  await page.getByText('Your account is deleted.').waitFor()
  assert.deepEqual(await stack.sql`select 1 from user_profiles where email = ${email}`, [])
  assert.deepEqual(await stack.sql`select 1 from sessions where person_id = ${id}`, [])
  const [{ posted }] = await stack.sql`select posted from credit_accounts where owner_id = ${id}`
  assert.equal(posted, 0)
  await signIn(visitor, email)
  await summary(page).waitFor()
  await page.goto('/credits')
  assert.equal(new URL(page.url()).pathname, '/sign-in')
})

story('credits that came while somebody hesitated are told before they are lost', async ({ stack, visit }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = await signUp(visitor)
  await page.goto('/account/delete')
  await page.getByRole('button', { name: 'Delete account', exact: true }).waitFor()
  await stack.sql`select given.* from credits_grant(gen_random_uuid(), 'test', gen_random_uuid()::text, (select id from user_profiles where email = ${email}), 12, 'promo', 'promo', 1::smallint, null, null, null, null, null, null, 'test', 'Given') as given`
  await page.getByRole('button', { name: 'Delete account', exact: true }).click()
  await page.getByText('Your credits have changed meanwhile.').waitFor()
  await page.getByRole('button', { name: 'Delete account and lose 12 credits' }).waitFor()
  assert.equal(await balanceOf(stack, email), 12)
})

stories('who looks after Atlas sees what their role may do, and for buyers there is nothing', async ({ visit }) => {
  const [admin, buyer, nobody] = [await visit(), await visit(), await visit()]
  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await admin.page.waitForURL('**/credits')
  await admin.page.getByRole('button', { name: 'Account menu' }).click()
  await admin.page.getByRole('link', { name: 'Administration' }).click()
  await admin.page.getByRole('heading', { name: 'Overview', exact: true }).waitFor()
  await admin.page.getByText('Yours is Admin.').waitFor()
  await signUp(buyer)
  for (const visitor of [buyer, nobody]) {
    visitor.expected.push(/status of 404/)
    for (const path of ['/admin', '/admin/orders', '/nowhere']) {
      const answer = await visitor.page.goto(path)
      assert.equal(answer.status(), 404, path)
      await visitor.page.getByRole('heading', { name: 'Not found' }).waitFor()
    }
  }
  await buyer.page.goto('/credits')
  await buyer.page.getByRole('button', { name: 'Account menu' }).click()
  assert.equal(await buyer.page.getByRole('link', { name: 'Administration' }).count(), 0)
})

story('the sixth export within an hour waits', async ({ stack, visit }) => {
  const visitor = await visit()
  visitor.expected.push(/status of 429/)
  const email = await signUp(visitor)
  await visitor.page.goto('/account')
  for (let times = 0; times < 5; times += 1) await downloaded(visitor.page, 'Download as JSON')
  await visitor.page.getByRole('button', { name: 'Download as JSON' }).click()
  await visitor.page.getByText('You have had five exports within an hour.').waitFor()
  const noted = await stack.sql`select deed from audit_entries a join user_profiles p on p.id = a.actor_id where p.email = ${email} and deed = 'data_exported'`
  assert.equal(noted.length, 5)
  await waitFor(async () => (await fetch(`${stack.app}/readyz`)).ok, 'life')
})
