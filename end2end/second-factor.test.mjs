// The second factor: whose role needs one, signing in with a code, guessing it, losing it.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { newestMail, password, signIn, signUp, staleConfirmations } from './steps.mjs'

const { stories } = stage({ ATLAS_REQUIRE_SECOND_FACTOR: 'on' })

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const pathOf = (page) => new URL(page.url()).pathname
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const stepNow = (aheadMs = 0) => Math.floor((Date.now() + aheadMs) / 30_000)

/** What an authenticator shows that was given this key (RFC 6238). */
function codeOf(key, step = stepNow()) {
  const bits = [...key].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

/** From the page where it begins; gives back the key and the recovery codes. */
async function setUp(page) {
  await page.getByRole('button', { name: 'Set it up' }).click()
  await page.getByRole('img', { name: 'The key, for the camera' }).waitFor()
  const key = (await page.locator('.secret-key').innerText()).replaceAll(' ', '')
  await page.locator('.recovery-codes code').nth(9).waitFor()
  const codes = await page.locator('.recovery-codes code').allInnerTexts()
  assert.equal(codes.length, 10)
  await page.getByLabel('Code', { exact: true }).fill('12345')
  await page.getByRole('button', { name: 'Turn it on' }).click()
  await summary(page).getByText('This code isn’t right').waitFor()
  // The last step's, while that is good for ten seconds yet: the present one is for signing in.
  await page.getByLabel('Code', { exact: true }).fill(codeOf(key, stepNow(10_000) - 1))
  await page.getByRole('button', { name: 'Turn it on' }).click()
  await page.getByText('Done. Signing in takes a code from now on.').waitFor()
  return { key, codes }
}

/** A code later than all that were given. */
const laterCode = (stack, email, key) => waitFor(async () => {
  const [{ last_step: last }] = await stack.sql`select last_step from second_factors f join user_profiles p on p.id = f.person_id where p.email = ${email}`
  // Half a minute ahead is good too.
  return stepNow() + 1 > last && codeOf(key, Math.max(stepNow(), last + 1))
}, 'a code that was not used yet', 70_000)

async function signOut(page) {
  await page.getByRole('button', { name: 'Account menu' }).click()
  await page.locator('#account-menu').getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor()
}

async function give(page, code) {
  await page.getByLabel('Code', { exact: true }).fill(code)
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
}

stories('signing in with a second factor takes password and code, and so does confirming', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = await signUp(visitor)
  await page.goto('/account')
  await page.getByRole('link', { name: 'Manage second factor' }).click()
  const { key, codes } = await setUp(page)
  assert.deepEqual((await newestMail(stack, 'second_factor_on')).to, [email])
  await signOut(page)

  await signIn(visitor, email)
  await page.waitForURL('**/sign-in/code')
  // Half signed in is not signed in.
  for (const path of ['/credits', '/account', '/account/second-factor', '/confirm']) {
    await page.goto(path)
    assert.equal(pathOf(page), '/sign-in', path)
  }
  await page.goto('/sign-in/code')
  await give(page, '000000')
  await summary(page).getByText('This code isn’t right').waitFor()
  const code = await laterCode(stack, email, key)
  await give(page, code)
  await page.waitForURL('**/credits')
  await signOut(page)
  await signIn(visitor, email)
  await page.waitForURL('**/sign-in/code')
  await give(page, code)
  await summary(page).getByText('it was used already').waitFor()
  await give(page, codes[0].toLowerCase())
  await page.waitForURL('**/credits')
  assert.deepEqual((await newestMail(stack, 'recovery_code_used')).to, [email])

  await staleConfirmations(stack)
  await page.goto('/account/second-factor')
  await page.waitForURL('**/confirm?**')
  await page.getByLabel('Password').fill(password)
  await page.getByLabel('Code', { exact: true }).fill('000000')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await summary(page).getByText('This code isn’t right').waitFor()
  await page.getByLabel('Password').fill(password)
  await page.getByLabel('Code', { exact: true }).fill(codes[1])
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('8 of your recovery codes are left.').waitFor()
  await page.getByRole('button', { name: 'Remove the second factor' }).click()
  await page.getByText('Your password alone signs you in again.').waitFor()
  await signOut(page)
  await signIn(visitor, email)
  await page.waitForURL('**/credits')
})

stories('five wrong codes end a sign-in', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = await signUp(visitor)
  await page.goto('/account/second-factor')
  await setUp(page)
  await signOut(page)
  await signIn(visitor, email)
  for (let guess = 0; guess < 5; guess += 1) {
    await page.waitForURL('**/sign-in/code')
    await give(page, '000000')
    if (guess < 4) await summary(page).waitFor()
  }
  await page.getByText('Sign in again.').waitFor()
  assert.equal(pathOf(page), '/sign-in')
  await page.goto('/sign-in/code')
  assert.equal(pathOf(page), '/sign-in')
  assert.deepEqual((await newestMail(stack, 'codes_guessed')).to, [email])
})

stories('whoever may do more than buy sets one up first and can do nothing else', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = await signUp(visitor)
  await stack.sql`update user_profiles set role = 'support' where email = ${email} returning id`
  await page.goto('/credits')
  await page.waitForURL('**/account/second-factor')
  await page.getByText('Your role needs one.').waitFor()
  for (const path of ['/account', '/transactions', '/account/password', '/account/email']) {
    await page.goto(path)
    await page.waitForURL('**/account/second-factor')
  }
  const [session] = (await visitor.cookies()).filter(({ name }) => name.endsWith('sid'))
  const answer = await fetch(`${stack.app}/do/rename`, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams({ name: 'Not yet' }),
    headers: { cookie: `${session.name}=${session.value}`, origin: stack.app, accept: 'text/html' },
  })
  assert.equal(answer.headers.get('location'), '/account/second-factor')
  assert.equal((await stack.sql`select name from user_profiles where email = ${email}`)[0].name, '')
  await setUp(page)
  await page.goto('/credits')
  assert.equal(pathOf(page), '/credits')
  await page.goto('/account/second-factor')
  assert.equal(await page.getByRole('button', { name: 'Remove the second factor' }).count(), 0)

  // Everything lost: the operator helps, and it begins anew.
  await signOut(page)
  await stack.atlas('user', 'reset-second-factor', email, '--json')
  await signIn(visitor, email)
  await page.waitForURL('**/account/second-factor')
})
