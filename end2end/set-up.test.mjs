// The first run: an Atlas that knows nothing is led, from the code in its log, to a purchase that arrives by a webhook it made
// itself. Afterwards the way in is gone.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, inState, openCheckout, password, pay } from './steps.mjs'
import { stage } from './story.mjs'

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const codeIn = (stack) => stack.wholeLog().match(/enter the code ([A-Z0-9-]{27})/)[1]

/** Narrow and wide, light and dark. axe itself is a script, so it is only asked where scripts run. */
async function reads({ page, javascript }, what) {
  if (!javascript) return
  for (const [width, colorScheme] of [[360, 'dark'], [1280, 'light']]) {
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme })
    assert.deepEqual([what, width, await findings(page), (await overflow(page)).excess], [what, width, [], 0])
  }
}

for (const javascript of [true, false]) {
  const { story } = stage({ fresh: true })

  story(`a fresh Atlas is set up from the code in its log, ${javascript ? 'with' : 'without'} JavaScript`, async ({ stack, visit }) => {
    const apiKey = stack.secrets['the API key for Whop']
    // Colours that are still on their way would be judged as they are.
    const visitor = await visit({ reducedMotion: 'reduce' })
    const { page, context } = visitor
    await page.goto('/set-up')
    await reads(visitor, 'the code')
    await page.getByLabel('Code from the log').fill('AAAAAA-BBBBBB-CCCCCC-DDDDDD')
    await page.getByRole('button', { name: 'Go on' }).click()
    await summary(page).getByText('This isn’t the code').waitFor()
    await page.getByLabel('Code from the log').fill(codeIn(stack).toLowerCase().replaceAll('-', ' '))
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('heading', { name: '2. Whop keys' }).waitFor()
    await page.getByText('It takes the keys and the webhook first.').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Create the admin' }).count(), 0)
    await reads(visitor, 'the steps')

    const store = async (key, company) => {
      await page.getByLabel('API key', { exact: true }).fill(key)
      await page.getByLabel('Company id').fill(company)
      await page.getByRole('button', { name: 'Check and store' }).click()
    }
    await store('apik_of_somebody_else_0123456789', stack.company)
    await summary(page).getByText('Whop refuses this key.').waitFor()
    assert.equal(await page.getByLabel('API key', { exact: true }).inputValue(), '', 'a key is not shown again')
    assert.equal(await page.getByLabel('Company id').inputValue(), stack.company)
    await reads(visitor, 'a refusal')
    await store(apiKey, 'biz_SomebodyElse')
    await summary(page).getByText(`This key belongs to ${stack.company}.`).waitFor()
    assert.equal((await stack.sql`select * from provider_settings`).length, 0, 'nothing was stored')
    await store(apiKey, stack.company)
    await page.getByText(`Whop knows the key; it sells for ${stack.company}`).waitFor()

    const listed = () => stack.whop(`webhooks?account_id=${stack.company}`)
    assert.equal((await listed()).data.length, 0)
    await page.getByRole('button', { name: 'Create the webhook' }).click()
    await page.getByText('tells this Atlas of every payment, refund and dispute').waitFor()
    const [hook, ...others] = (await listed()).data
    assert.deepEqual([others.length, hook.url, hook.api_version_date], [0, `${stack.app}/api/webhooks/whop`, '2026-10-15-1'])
    for (const event of ['payment.succeeded', 'refund.created', 'dispute.created']) assert.ok(hook.events.includes(event), event)

    await page.getByRole('button', { name: 'Add these plans' }).click()
    await page.getByText('3 on sale.').waitFor()
    await page.getByLabel('Name').fill('Bea <b>Boss</b>')
    await page.getByLabel('Email').fill('bea@example.com')
    await page.getByLabel('Password', { exact: true }).fill('password123')
    await page.getByRole('button', { name: 'Create the admin' }).click()
    await summary(page).getByText('one of the most used passwords').waitFor()
    assert.equal(await page.getByLabel('Name').inputValue(), 'Bea <b>Boss</b>')
    await reads(visitor, 'all but the admin')
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Create the admin' }).click()
    await page.waitForURL('**/credits')
    await page.getByText('You are the first admin.').waitFor()

    await isGone(stack, context)
    await purchaseArrives(stack, page)
    await nothingIsSaid(stack, apiKey)
  }, { javascript })
}

async function isGone(stack, context) {
  const at = async (path, form) => context.request.fetch(`${stack.app}${path}`, {
    method: form ? 'POST' : 'GET', form, maxRedirects: 0, headers: { 'sec-fetch-site': 'same-origin' },
  })
  assert.equal((await at('/set-up')).status(), 404)
  for (const [path, form] of [
    ['enter', { code: codeIn(stack) }], ['plans', {}], ['webhook', {}],
    ['whop-keys', { api_key: 'apik_of_somebody_else_0123456789', company_id: 'biz_Other' }],
    ['first-admin', { name: 'Mallory', email: 'mallory@example.com', password }],
  ]) {
    const answer = await at(`/do/set-up/${path}`, form)
    assert.deepEqual([path, answer.status(), answer.headers().location], [path, 303, '/set-up'])
  }
  assert.deepEqual(await stack.sql`select email, name, role from user_profiles`, [{ email: 'bea@example.com', name: 'Bea <b>Boss</b>', role: 'admin' }])
  assert.deepEqual(await stack.sql`select account from provider_settings`, [{ account: stack.company }])
  await assert.rejects(stack.atlas('set-up', 'code'), /there is an admin/)
}

async function purchaseArrives(stack, page) {
  await waitFor(() => /Whop is set up/.test(stack.wholeLog()), 'the keys to be taken up without a restart')
  await openCheckout({ page, awake: async () => {} })
  await pay({ page })
  await inState(page, 'paid').waitFor()
  assert.equal(await balanceOf(stack, 'bea@example.com'), 5000)
  const heard = await stack.sql`select kind, state, secret from provider_events where kind = 'payment.succeeded'`
  assert.deepEqual(heard, [{ kind: 'payment.succeeded', state: 'applied', secret: 'current' }])
}

/** Neither key nor secret stands in the log, or in clear in the database; and the doctor finds nothing bad. */
async function nothingIsSaid(stack, apiKey) {
  const [dump, log] = [await stack.dump(), stack.wholeLog()]
  assert.ok(dump.includes('provider_settings') && !dump.includes(apiKey) && !log.includes(apiKey))
  assert.ok(!/ws_[0-9a-f]{16}/.test(dump + log))
  const checks = await stack.told('doctor', '--json')
  assert.deepEqual(checks.filter(({ state }) => state === 'bad'), [])
  const states = Object.fromEntries(checks.map(({ subject, state }) => [subject, state]))
  assert.deepEqual([states['Whop API'], states.Webhook, states['Webhook secret'], states.Plans], ['good', 'good', 'good', 'good'])
}
