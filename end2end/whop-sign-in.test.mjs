// Signing in with Whop: the sandbox is the authorisation server, honest or not.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { freshMail, signIn, signUp } from './steps.mjs'

const { story, stories } = stage()

const consent = (page) => page.getByRole('heading', { name: 'Sign in with Whop' })
const notice = (page) => page.getByRole('main').getByRole('status')

/** From a page of ours to Whop's page of consent. */
async function goOut(page, from = '/sign-in') {
  await page.goto(from)
  await page.getByRole('main').getByRole('link', { name: 'Sign in with Whop' }).click()
  await consent(page).waitFor()
}

async function allow(page, email) {
  await page.getByRole('textbox', { name: /^(As|Or as somebody else)/ }).fill(email)
  await page.getByRole('button', { name: 'Allow' }).click()
}

async function signOut(page) {
  await page.goto('/account')
  await page.getByRole('main').getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor()
}

/** To Whop's page of consent; whoever signed in a moment ago is not asked for the password again. */
async function linkWhop(page) {
  await page.goto('/account')
  await page.getByRole('button', { name: 'Link Whop' }).click()
  await consent(page).waitFor()
}

const session = async (visitor) => (await visitor.cookies()).find(({ name }) => name === 'sid')?.value

/** Everything that a sign-in could change. */
async function state(stack) {
  return stack.sql`select (select count(*) from user_profiles) as people, (select count(*) from identities) as identities,
    (select count(*) from identity_grants where ended_at is null) as grants, (select count(*) from sessions where person_id is not null) as sessions`
}

stories('who signs in with Whop gets an account, comes back to it, and signs out there too', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = freshMail()
  await goOut(page, '/sign-in?next=/transactions')
  const before = await session(visitor)
  await allow(page, email)
  await page.waitForURL('**/transactions')
  assert.notEqual(await session(visitor), before, 'under a new id')
  assert.ok(!(await visitor.cookies()).some(({ name }) => name === 'oauth'), 'nothing of the attempt is left')
  const [first] = await stack.sql`select id, password_hash from user_profiles where email = ${email}`
  assert.equal(first.password_hash, '')
  const [grant] = await stack.sql`select encode(sealed_access, 'escape') as access, encode(sealed_refresh, 'escape') as refresh from identity_grants where ended_at is null order by granted_at desc limit 1`
  for (const sealed of Object.values(grant)) assert.doesNotMatch(sealed, /o[ar]t_/, 'no token lies about')
  await page.goto('/account')
  await page.getByText('This is how you sign in.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Unlink' }).count(), 0, 'never the last way in')
  await signOut(page)
  const { grants } = await stack.control('oauth')
  await waitFor(async () => (await stack.control('oauth')).grants.find(({ id }) => id === grants[0].id).revoked, 'the grant to be given back')

  await goOut(page)
  await allow(page, email)
  await page.waitForURL('**/credits')
  const people = await stack.sql`select p.id from user_profiles p join identities i on i.person_id = p.id where p.email = ${email}`
  assert.deepEqual(people, [{ id: first.id }])
})

stories('an account is linked and unlinked by its owner, and the other way in stays (T49)', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const [email, whop] = [await signUp(visitor), freshMail()]
  await linkWhop(page)
  await allow(page, whop)
  await notice(page).getByText('From now on you can sign in with Whop.').waitFor()
  await signOut(page)
  await goOut(page)
  await allow(page, whop)
  await page.waitForURL('**/credits')
  await page.goto('/account')
  await page.getByRole('main').getByText(email).first().waitFor()
  await page.getByRole('button', { name: 'Unlink' }).click()
  await notice(page).getByText('Whop is unlinked.').waitFor()
  await page.getByRole('button', { name: 'Link Whop' }).waitFor()
  assert.deepEqual(await stack.sql`select 1 from identities i join user_profiles p on p.id = i.person_id where p.email = ${email}`, [])
  await signOut(page)
  await signIn(visitor, email)
  await page.waitForURL('**/credits')
})

stories('who says no at Whop is told so where they began', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const before = await state(stack)
  await goOut(page)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await notice(page).getByText('You said no at Whop.').waitFor()
  assert.equal(new URL(page.url()).pathname, '/sign-in')
  assert.deepEqual(await state(stack), before)
})

stories('an address that has an account here is never joined (T49)', async ({ visit, stack }) => {
  const [owner, other] = [await visit(), await visit()]
  const email = await signUp(owner)
  const before = await state(stack)
  await goOut(other.page)
  await allow(other.page, email)
  await notice(other.page).getByText('There is an account with your email here already.').waitFor()
  assert.deepEqual(await state(stack), before)
  await other.page.goto('/credits')
  assert.equal(new URL(other.page.url()).pathname, '/sign-in')
})

story('an account at Whop that is somebody’s here can’t become somebody else’s (T49)', async ({ visit }) => {
  const [ana, ben] = [await visit(), await visit()]
  const whop = freshMail()
  await goOut(ana.page)
  await allow(ana.page, whop)
  await ana.page.waitForURL('**/credits')
  await signUp(ben)
  await linkWhop(ben.page)
  await allow(ben.page, whop)
  await notice(ben.page).getByText('linked to another account').waitFor()
})

const lies = [
  'state', 'no_state', 'code', 'nonce', 'issuer', 'audience', 'expired', 'signature', 'alg_none', 'unknown_key', 'no_id_token', 'subject',
]
for (const lie of lies) {
  story(`an authorisation server that lies about ${lie} is not believed (T48, T49)`, async ({ visit, stack }) => {
    const visitor = await visit()
    const { page } = visitor
    visitor.expected.push(/status of 400/)
    await goOut(page)
    await allow(page, freshMail())
    await page.waitForURL('**/credits')
    await signOut(page)
    const before = await state(stack)
    await stack.faults({ oauth_lies: lie })
    await goOut(page)
    await allow(page, freshMail())
    await page.getByRole('heading', { name: 'That didn’t sign you in' }).waitFor()
    await stack.faults()
    assert.deepEqual(await state(stack), before)
    await page.getByRole('link', { name: 'Start again' }).click()
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor()
  })
}

for (const [lie, words] of [['unverified_email', 'no verified email'], ['no_email', 'no verified email']]) {
  story(`without a verified address nobody new is made: ${lie} (T49)`, async ({ visit, stack }) => {
    const { page } = await visit()
    const before = await state(stack)
    await stack.faults({ oauth_lies: lie })
    await goOut(page)
    await allow(page, freshMail())
    await notice(page).getByText(words).waitFor()
    await stack.faults()
    assert.deepEqual(await state(stack), before)
  })
}

for (const fault of [{ oauth_error_status: 500 }, { oauth_latency_ms: 6_000 }]) {
  story(`while Whop does not answer, people are told to wait: ${Object.keys(fault)[0]}`, async ({ visit, stack }) => {
    const { page } = await visit()
    const before = await state(stack)
    await stack.faults(fault)
    await goOut(page)
    await allow(page, freshMail())
    await notice(page).getByText('Whop doesn’t answer just now.').waitFor()
    await stack.faults()
    assert.deepEqual(await state(stack), before)
  })
}

story('an answer works once, and only in the browser that asked (T48)', async ({ visit, stack }) => {
  const [attacker, victim] = [await visit(), await visit()]
  for (const visitor of [attacker, victim]) visitor.expected.push(/status of 400/)
  // The attacker stops on the way back, and has the victim finish.
  await goOut(attacker.page)
  const allowed = new URL(attacker.page.url()).searchParams
  allowed.set('decision', 'allow')
  allowed.set('email', freshMail())
  const sent = await fetch(`${stack.sandbox}/oauth/authorize`, { method: 'POST', body: allowed, redirect: 'manual' })
  const answer = sent.headers.get('location')
  const before = await state(stack)
  for (const prepare of [async () => {}, () => goOut(victim.page)]) {
    await prepare()
    const refused = await victim.page.goto(answer)
    assert.equal(refused.status(), 400)
    await victim.page.getByRole('heading', { name: 'That didn’t sign you in' }).waitFor()
  }
  assert.deepEqual(await state(stack), before)
  await attacker.page.goto(answer)
  await attacker.page.waitForURL('**/credits')
  const again = await attacker.page.goto(answer)
  assert.equal(again.status(), 400, 'a second time')
})

story('another page can’t have an account linked, confirmed or renewed', async ({ visit, stack }) => {
  const visitor = await visit()
  await signUp(visitor)
  const before = await state(stack)
  for (const path of ['/do/link-whop', '/do/unlink-whop', '/do/confirm-with-whop', '/api/whop/refresh']) {
    const refused = await visitor.page.request.post(path, { headers: { origin: 'https://evil.example' }, form: { identity: '', return_to: '/' } })
    assert.equal(refused.status(), 403, path)
  }
  assert.deepEqual(await state(stack), before)
})

story('twenty that want a fresh token at once are one question at Whop, and an old one is not asked with twice', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  await goOut(page)
  await allow(page, freshMail())
  await page.waitForURL('**/credits')
  const asked = async () => (await stack.control('oauth')).asked.refresh
  const renew = () => page.request.post('/api/whop/refresh', { headers: { origin: stack.app } })
  const before = await asked()
  assert.equal((await renew()).status(), 200)
  assert.equal(await asked(), before, 'it is good for a while yet')
  for (let round = 1; round <= 3; round += 1) {
    await stack.change`update identity_grants set access_ends_at = now() where ended_at is null and id = (select id from identity_grants order by granted_at desc limit 1)`
    const answers = await Promise.all(Array.from({ length: 20 }, renew))
    assert.deepEqual(answers.map((answer) => answer.status()), Array(20).fill(200))
    assert.equal(await asked(), before + round)
  }
  assert.equal((await page.request.get('/api/whop/verify')).status(), 200)
})

story('what Whop took back, and what does not open, signs out (T64)', async ({ visit, stack }) => {
  const visitor = await visit()
  visitor.expected.push(/status of 401/)
  const { page } = visitor
  const verify = () => page.request.get('/api/whop/verify')
  for (const harm of [
    async () => stack.control(`oauth/grants/${(await stack.control('oauth')).grants[0].id}/revoke`, {}),
    // Of one row into another: every byte of it is authentic, but not there.
    () => stack.change`update identity_grants set sealed_refresh = sealed_access, sealed_access = sealed_refresh`,
  ]) {
    await goOut(page)
    await allow(page, freshMail())
    await page.waitForURL('**/credits')
    assert.equal((await verify()).status(), 200)
    await harm()
    await stack.change`update identity_grants set access_ends_at = now()`
    assert.equal((await verify()).status(), 401)
    await page.goto('/credits')
    assert.equal(new URL(page.url()).pathname, '/sign-in', 'signed out, and told so by the way to sign in')
  }
})
