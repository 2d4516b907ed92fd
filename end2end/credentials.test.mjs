// Passwords, links by mail, second factors: what proves that it is you.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { password, signUp } from './steps.mjs'

const { stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const sessionOf = async (visitor) => (await visitor.cookies()).find(({ name }) => name.endsWith('sid')).value

/** As if the last confirmation of all sessions were ten minutes ago. */
const age = (stack) => stack.sql`update sessions set confirmed_at = now() - interval '10 minutes' returning public_id`

stories('who is asked for the password again comes back, under a new session id (T43)', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  await signUp(visitor)
  await page.goto('/confirm?return_to=/transactions')
  assert.equal(new URL(page.url()).pathname, '/transactions', 'who has just signed up is not asked')

  await age(stack)
  const before = await sessionOf(visitor)
  await page.goto('/confirm?return_to=/transactions%3Fdirection%3Din')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await summary(page).getByText('This isn’t your password').waitFor()
  assert.equal(await page.getByLabel('Password').inputValue(), '')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.waitForURL('**/transactions?direction=in')
  assert.notEqual(await sessionOf(visitor), before)
  const thief = await visit()
  await thief.context.addCookies([{ name: 'sid', value: before, url: stack.app }])
  await thief.page.goto('/credits')
  assert.equal(new URL(thief.page.url()).pathname, '/sign-in', 'the old id is dead')
})

stories('a confirmation leads to our own pages only (T50)', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  await page.goto('/confirm?return_to=/account')
  assert.equal(new URL(page.url()).pathname, '/sign-in', 'nobody is asked who is not signed in')
  await signUp(visitor)
  for (const elsewhere of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    await age(stack)
    await page.goto(`/confirm?return_to=${encodeURIComponent(elsewhere)}`)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.waitForURL(`${stack.app}/credits`)
  }
})
