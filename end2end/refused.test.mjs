// What must not work: forged and broken webhooks, forged forms, and a browser that says more than it may.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, checkoutOf, inState, newestOrder, openCheckout, ordersOf, pay, plan, signUp } from './steps.mjs'

const { story } = stage()

/** A payment that is paid at the provider, of which no webhook has told us; and the webhook that would. */
async function untoldPayment(stack, visit) {
  await stack.faults({ webhook_loss: 1 })
  const buyer = await visit()
  await signUp(buyer)
  await openCheckout(buyer)
  const checkout = checkoutOf(buyer.page)
  // Away from the order's page, which would ask the provider.
  await buyer.page.goto('/')
  const { payment_id: payment } = await stack.control('pay', { checkout_id: checkout })
  const data = await stack.whop(`payments/${payment}`)
  const event = { type: 'payment.succeeded', api_version: 'v1', timestamp: new Date().toISOString(), company_id: stack.company, data }
  const order = await newestOrder(stack, buyer.email)
  return { buyer, payment, order, event, body: JSON.stringify(event) }
}

async function deliver(stack, body, headers, method = 'POST') {
  const answer = await fetch(`${stack.app}/api/webhooks/whop`, { method, body: method === 'GET' || method === 'HEAD' ? undefined : body, headers, redirect: 'manual' })
  await answer.arrayBuffer()
  return answer.status
}

story('webhooks that are not authentic are refused, and the same body signed well is not', async ({ stack, visit }) => {
  const { buyer, order, body } = await untoldPayment(stack, visit)
  const now = Math.floor(Date.now() / 1000)
  const good = stack.sign(body)
  const forged = {
    'no headers': {},
    'no signature': { ...good, 'webhook-signature': '' },
    'another key': stack.sign(body, { secret: `ws_${'0'.repeat(64)}` }),
    'an empty key': stack.sign(body, { secret: '' }),
    'a signature of another body': stack.sign(`${body} `),
    'a cut signature': { ...good, 'webhook-signature': good['webhook-signature'].slice(0, -4) },
    'another version': { ...good, 'webhook-signature': good['webhook-signature'].replace('v1,', 'v1a,') },
    'another id': { ...good, 'webhook-id': 'msg_another' },
    'six minutes ago': stack.sign(body, { seconds: now - 360 }),
    'six minutes ahead': stack.sign(body, { seconds: now + 360 }),
    'time zero': stack.sign(body, { seconds: 0 }),
    'the earliest time': stack.sign(body, { seconds: '-9223372036854775808' }),
    'time in words': stack.sign(body, { seconds: 'now' }),
    'a signed plus': stack.sign(body, { seconds: `+${now}` }),
  }
  for (const [what, headers] of Object.entries(forged)) assert.equal(await deliver(stack, body, headers), 401, what)
  assert.equal((await stack.sql`select 1 from provider_events`).length, 0, 'nothing was stored')
  assert.equal(await stack.grants(order.id), 0)

  assert.equal(await deliver(stack, body, good), 200)
  assert.equal(await deliver(stack, body, good), 200, 'a repetition')
  assert.equal(await stack.grants(order.id), 1)
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})

story('authentic webhooks that make no sense get their status and grant nothing', async ({ stack, visit }) => {
  const { event, order } = await untoldPayment(stack, visit)
  const altered = (change) => JSON.stringify({ ...event, ...change })
  const payment = (change) => altered({ data: { ...event.data, ...change } })
  const bodies = [
    ['a megabyte', ' '.repeat(1_048_576), [413]],
    ['cut JSON', JSON.stringify(event).slice(0, -10), [400]],
    ['no JSON', 'paid!', [400]],
    ['nothing', '', [400]],
    ['a list', '[]', [400]],
    ['10,000 levels', `{"type":"payment.succeeded","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, [200, 400]],
    ['half a character', Buffer.concat([Buffer.from('{"type":"x","data":"'), Buffer.from([0xc3]), Buffer.from('"}')]), [400]],
    ['a type with \\u0000', altered({ type: 'payment.succeeded\u0000' }), [400]],
    ['an id with \\u0000', payment({ id: 'pay_\u0000' }), [200]],
    ['an unknown type', altered({ type: 'payment.celebrated' }), [200]],
    ['an unknown status', payment({ status: 'glorious', substatus: 'glorious' }), [200]],
    ['no account', altered({ company_id: undefined, data: { ...event.data, account_id: undefined, company: undefined } }), [200]],
    ['another account', altered({ company_id: 'biz_another', data: { ...event.data, account_id: 'biz_another', company: undefined } }), [200]],
    ['two accounts', altered({ company_id: 'biz_another' }), [200]],
    ['an amount of nothing', payment({ total: 0, subtotal: 0, usd_total: 0 }), [200]],
    ['another amount', payment({ total: 0.01, subtotal: 0.01, usd_total: 0.01 }), [200]],
    ['another currency', payment({ currency: 'jpy' }), [200]],
    ['an absurd amount', payment({ total: '@', subtotal: '@', usd_total: '@' }).replaceAll('"@"', '1e999'), [200, 400]],
    ['another checkout', payment({ checkout_configuration_id: 'ch_another' }), [200]],
    ['no checkout', payment({ checkout_configuration_id: null }), [200]],
  ]
  for (const [what, body, statuses] of bodies) {
    const status = await deliver(stack, body, stack.sign(body))
    assert.ok(statuses.includes(status), `${what}: ${status}, not ${statuses}`)
    assert.equal(await stack.grants(order.id), 0, `${what} granted`)
  }
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) assert.equal(await deliver(stack, '{}', stack.sign('{}'), method), 405, method)
  const zipped = JSON.stringify(event)
  assert.equal(await deliver(stack, zipped, { ...stack.sign(zipped), 'content-encoding': 'gzip' }), 415)
  assert.equal((await fetch(`${stack.app}/readyz`)).status, 200, 'alive')
})

story('500 copies of one delivery over 50 connections are one grant', async ({ stack, visit }) => {
  const { buyer, order, payment } = await untoldPayment(stack, visit)
  const [{ webhook_id: message }] = await stack.control(`deliveries?event=payment.succeeded&payment_id=${payment}`)
  assert.equal(await stack.grants(order.id), 0)
  const told = await stack.control(`webhooks/${message}/redeliver`, { copies: 500, concurrency: 50 })
  assert.equal(told.sent, 500)
  assert.deepEqual(told.statuses, { 200: 500 })
  assert.equal(await stack.grants(order.id), 1)
  assert.equal(await balanceOf(stack, buyer.email), 5000)
})

story('a browser that names price, credits and user is not listened to', async ({ stack, visit }) => {
  const [other, buyer] = [await visit(), await visit()]
  await signUp(other)
  await signUp(buyer)
  const [{ id: someone }] = await stack.sql`select id from user_profiles where email = ${other.email}`
  await plan(buyer.page, 'Starter').locator('form').evaluate((form, someone) => {
    const more = { price: '0.01', amount: '1', credits: '1000000', user: someone, buyer_id: someone, buyer: someone, state: 'paid' }
    for (const [name, value] of Object.entries(more)) {
      form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }))
    }
  }, someone)
  await plan(buyer.page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await buyer.page.getByText('Due today').waitFor()
  assert.match(await buyer.page.locator('main').innerText(), /\$7\.50/)
  const [order] = await ordersOf(stack, buyer.email)
  assert.deepEqual([order.price_minor, order.credits, order.currency, order.state], [750, 5000, 'usd', 'opened'])
  assert.equal((await ordersOf(stack, other.email)).length, 0)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  assert.deepEqual([await balanceOf(stack, buyer.email), await balanceOf(stack, other.email)], [5000, 0])
})

story('a plan that is none, or none for sale, is a sentence and no order', async ({ stack, visit }) => {
  const buyer = await visit()
  await signUp(buyer)
  const enterprise = await plan(buyer.page, 'Enterprise').locator('input[name=plan]').inputValue()
  for (const [id, sentence] of [
    ['nonsense', 'This plan is no longer on sale'],
    ['01999999-9999-7999-8999-999999999999', 'This plan is no longer on sale'],
    [enterprise, 'This plan is ordered by request'],
  ]) {
    await buyer.page.goto('/credits')
    await plan(buyer.page, 'Starter').locator('input[name=plan]').evaluate((input, id) => (input.value = id), id)
    await plan(buyer.page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
    await buyer.page.getByText(sentence).waitFor()
  }
  assert.equal((await ordersOf(stack, buyer.email)).length, 0)
})

for (const [what, evil] of [['another site', 'http://evil.example/'], ['another port of this machine', 'http://127.0.0.1:9/']]) {
  story(`a form on ${what} does nothing here`, async ({ stack, visit }) => {
    const buyer = await visit()
    const { page } = buyer
    buyer.expected.push(/status of 403/)
    await signUp(buyer)
    const starter = await plan(page, 'Starter').locator('input[name=plan]').inputValue()
    const fields = `<input name=plan value="${starter}"><input name=key value="forged-key-0001">`
    await page.route(evil, (route) => route.fulfill({ contentType: 'text/html', body: `<form method=post action="${stack.app}/do/buy-credits">${fields}<button>Win</button></form>` }))
    await page.goto(evil)
    const [answer] = await Promise.all([
      page.waitForResponse((answer) => answer.url().endsWith('/do/buy-credits')),
      page.getByRole('button', { name: 'Win' }).click(),
    ])
    assert.equal(answer.status(), 403)
    await page.getByText('This request came from another site').waitFor()
    assert.equal((await ordersOf(stack, buyer.email)).length, 0)
  })
}

story('an action asked for with GET changes nothing', async ({ stack, visit }) => {
  const buyer = await visit()
  await signUp(buyer)
  const starter = await plan(buyer.page, 'Starter').locator('input[name=plan]').inputValue()
  for (const path of [`/do/buy-credits?plan=${starter}&key=fetched-key-0001`, `/do/request-credits?plan=${starter}&note=&key=fetched-key-0002`, '/do/sign-out', '/do/rename?name=Mallory']) {
    const answer = await buyer.context.request.get(path, { maxRedirects: 0 })
    assert.ok([404, 405].includes(answer.status()), `${path}: ${answer.status()}`)
  }
  assert.equal((await ordersOf(stack, buyer.email)).length, 0)
  await buyer.page.goto('/account')
  await buyer.page.getByRole('heading', { name: 'Account' }).waitFor()
  assert.equal(await buyer.page.getByLabel('Name').inputValue(), '')
})

story('a way on that leads elsewhere is not followed', async ({ stack, visit }) => {
  const visitor = await visit()
  const email = await signUp(visitor)
  for (const next of ['javascript:alert(1)', '//evil.example/', 'https://evil.example/', '/\\evil.example', '/\t/evil.example', 'data:text/html,x']) {
    await visitor.context.clearCookies()
    await visitor.page.goto(`/sign-in?next=${encodeURIComponent(next)}`)
    assert.equal(await visitor.page.locator('main input[name=next]').inputValue(), '/credits', next)
    // And when the form itself is tampered with:
    await visitor.page.locator('main input[name=next]').evaluate((input, next) => (input.value = next), next)
    await visitor.page.getByLabel('Email').fill(email)
    await visitor.page.getByLabel('Password').fill('correct horse battery')
    await visitor.page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await visitor.page.waitForURL(`${stack.app}/credits`)
  }
})

story('whoever is not signed in is sent to sign in, and back', async ({ stack, visit }) => {
  const visitor = await visit()
  const email = await signUp(visitor)
  await visitor.context.clearCookies()
  for (const path of ['/credits', '/transactions', '/account']) {
    await visitor.page.goto(path)
    assert.equal(new URL(visitor.page.url()).pathname, '/sign-in', path)
  }
  await visitor.page.getByLabel('Email').fill(email)
  await visitor.page.getByLabel('Password').fill('correct horse battery')
  await visitor.page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await visitor.page.waitForURL(`${stack.app}/account`)
  for (const path of ['/transactions.csv', '/payment/events?order=01999999-9999-7999-8999-999999999999']) {
    const answer = await fetch(stack.app + path, { redirect: 'manual' })
    assert.ok([303, 302, 401, 404].includes(answer.status), `${path}: ${answer.status}`)
  }
})

story('odd orders in the address are 404, never an error', async ({ stack, visit }) => {
  const visitor = await visit()
  visitor.expected.push(/status of 40[04]/)
  await signUp(visitor)
  for (const order of ['', '%00', '../../etc', '<script>alert(1)</script>', 'a'.repeat(2000), "' or 1=1--"]) {
    for (const path of [`/payment/status?order=${encodeURIComponent(order)}`, `/receipt/${encodeURIComponent(order || 'x')}`, `/transactions/${encodeURIComponent(order || 'x')}`]) {
      const answer = await visitor.page.goto(path)
      assert.ok([400, 404].includes(answer.status()), `${path.slice(0, 80)}: ${answer.status()}`)
    }
  }
  await waitFor(async () => (await fetch(`${stack.app}/readyz`)).ok, 'life')
})
