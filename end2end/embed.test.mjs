// Credits inside Whop (T56): only Whop may frame the page, only Whop's token says who looks, and a cookie of ours means nothing
// there.

import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { balanceOf, inState, openCheckout, pay, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const app = 'app_e2eFrame0001'
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { story } = stage({ WHOP_APP_ID: app, WHOP_APP_PUBLIC_KEY: JSON.stringify(keys.publicKey.export({ format: 'jwk' })) })

/** A token as Whop's frames bring it along. */
function token(subject, { seconds = 60, audience = app } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: 'ES256', typ: 'JWT' })}.${part({ iss: 'urn:whopcom:exp-proxy', aud: audience, sub: subject, iat: now, exp: now + seconds })}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** A page of that address which frames ours, in this visitor's browser; `bring`: the token that comes along. */
async function framed(visitor, stack, at, bring) {
  const page = await visitor.newPage()
  await page.route(`${at}/**`, (route) => route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>Whop</title><iframe src="${stack.app}/embed/credits" width="900" height="700"></iframe>` }))
  if (bring) {
    await page.route('**/embed/credits', (route) => route.continue({ headers: { ...route.request().headers(), 'x-whop-user-token': bring } }))
  }
  await page.goto(`${at}/app`)
  return { page, frame: page.frameLocator('iframe') }
}

story('a frame in Whop shows whoever Whop says looks, whatever cookie comes along (T56)', async ({ visit, stack }) => {
  const [linked, other] = [await visit(), await visit()]
  // The tests' own address is plain http.
  for (const visitor of [linked, other]) visitor.expected.push(/status of 401/, /Mixed Content/, /Refused to frame|ERR_BLOCKED_BY_RESPONSE|frame-ancestors|chrome-error/)
  const email = await signUp(linked)
  await openCheckout(linked)
  await pay(linked)
  await inState(linked.page, 'paid').waitFor()
  assert.equal(await balanceOf(stack, email), 5000)
  const [{ id: person }] = await stack.sql`select id from user_profiles where email = ${email}`
  const issuer = new URL(stack.sandbox).origin
  await stack.change`insert into identities (id, person_id, issuer, subject, linked_at) values (${randomUUID()}, ${person}, ${issuer}, 'user_linked', now())`

  // Who is signed in here, looks without Whop's word: nobody.
  const alone = await framed(linked, stack, 'https://whop.com')
  await alone.frame.getByText('This page is part of Whop').waitFor()
  assert.equal(await alone.frame.getByText('5,000').count(), 0)

  // Somebody else's browser, with their own cookie, and Whop's word for the linked one.
  await signUp(other)
  const shown = await framed(other, stack, 'https://whop.com', token('user_linked'))
  await shown.frame.getByText('Your balance').waitFor()
  assert.equal(await shown.frame.locator('.balance-number').innerText(), '5,000')
  assert.ok((await shown.frame.getByRole('article').count()) > 2, 'the plans')
  assert.equal(await shown.frame.locator('form, script, button').count(), 0, 'nothing to press')
  for (const link of await shown.frame.getByRole('link').all()) assert.equal(await link.getAttribute('target'), '_blank')

  const unknown = await framed(other, stack, 'https://apps.whop.com', token('user_nobody'))
  await unknown.frame.getByText('isn’t linked').waitFor()
  for (const bad of [token('user_linked', { seconds: -1 }), token('user_linked', { audience: 'app_another' }), 'a.b.c']) {
    const refused = await framed(other, stack, 'https://whop.com', bad)
    await refused.frame.getByText('This page is part of Whop').waitFor()
  }

  for (const stranger of ['https://whop.com.evil.example', 'https://evil.example', 'http://whop.com']) {
    const { page } = await framed(other, stack, stranger, token('user_linked'))
    await page.waitForFunction(() => document.readyState === 'complete')
    while (!page.frames()[1]?.url()) await page.waitForTimeout(20)
    assert.match(page.frames()[1].url(), /^chrome-error:/, stranger)
  }
})

story('what may be framed says so, and everything else that it may not (T56)', async ({ stack }) => {
  const ask = async (path) => (await fetch(`${stack.app}${path}`, { redirect: 'manual' })).headers
  for (const path of ['/', '/credits', '/sign-in', '/nowhere', '/embed', '/embed/nowhere', '/favicon.svg', '/healthz', '/api/v1/spend', '/transactions.csv', '/do/sign-in']) {
    const headers = await ask(path)
    assert.equal(headers.get('x-frame-options'), 'DENY', path)
    assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/, path)
  }
  const headers = await ask('/embed/credits')
  assert.equal(headers.get('x-frame-options'), null)
  assert.match(headers.get('content-security-policy'), /frame-ancestors https:\/\/whop\.com https:\/\/\*\.whop\.com;/)
  assert.equal(headers.get('set-cookie'), null)
})
