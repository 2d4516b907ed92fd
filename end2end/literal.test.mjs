// Whatever somebody could have stored is shown as it was written: 25 texts that want to be scripts, in every field that a
// person, an application, an operator or the provider fills, on every page that a buyer and an admin can reach, with and
// without JavaScript (T52, T53, T54). They are put into the tables, past every check of the forms.

import assert from 'node:assert/strict'
import { newestOrder, openCheckout, pay, signIn, signUp, inState, plan } from './steps.mjs'
import { stage } from './story.mjs'

const { story } = stage()

const payloads = [
  '<script>alert(1)</script>',
  '"><script>alert(2)</script>',
  '\'><script>alert(3)</script>',
  '</title><script>alert(4)</script>',
  '</textarea><script>alert(5)</script>',
  '</style><script>alert(6)</script>',
  '</script><script>alert(7)</script>',
  '<img src=x onerror=alert(8)>',
  '"><img src=x onerror=alert(9)>',
  '" autofocus onfocus="alert(10)" x="',
  '\' autofocus onfocus=\'alert(11)\' x=\'',
  '<svg onload=alert(12)>',
  '<svg><animate onbegin=alert(13) attributeName=x dur=1s>',
  '<math><style><img src onerror=alert(14)></style>',
  '<iframe srcdoc="<script>parent.alert(15)</script>">',
  '<details open ontoggle=alert(16)>x',
  '<a href="javascript:alert(17)" autofocus>x</a>',
  'javascript:alert(18)//',
  '<!--><script>alert(19)</script>-->',
  '<form action=javascript:alert(20)><button autofocus>',
  '<base href=//evil.example/><embed src=//evil.example>',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '\\u003cscript\\u003ealert(23)\\u003c/script\\u003e',
  '{{[].constructor.constructor("alert(24)")()}}${alert(24)}',
  '&lt;script&gt;alert(25)&lt;/script&gt;%3Cscript%3E',
]
/** As it stands in a field: which one and which text is told by its end. */
const stored = (field, number) => `${payloads[number]} #${field}${number + 1}.`
const everything = [...payloads.keys()]

/** Elements that only a payload could have made. */
const strangers = 'iframe, base, embed, math, animate, meta[http-equiv], [onerror], [onload], [onfocus], [onbegin], [ontoggle], a[href^="javascript"], form[action^="javascript"]'

/** A buyer who has paid, failed and asked, and whose every text is a payload. */
async function fill(stack, visit) {
  const buyer = await visit({ javascript: true, userAgent: `${payloads[0]} #agent.` })
  await signUp(buyer)
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const paid = await newestOrder(stack, buyer.email)
  const [{ id: person }] = await stack.sql`select id from user_profiles where email = ${buyer.email}`
  const { page } = buyer
  await page.goto('/credits')
  await plan(page, 'Enterprise').getByText('Ask for an offer').click()
  await page.getByLabel('Note').fill(payloads[0])
  await plan(page, 'Enterprise').getByRole('button', { name: 'Request credits' }).click()
  await page.waitForURL('**/payment/status?**')
  const asked = await newestOrder(stack, buyer.email)

  const orders = { failed: [], requested: [] }
  for (const number of everything) {
    const texts = { plan_name: stored('plan', number).slice(0, 80), note: stored('note', number), failure_message: stored('failure', number) }
    orders.failed.push(await copyOrder(stack, paid.id, { ...texts, state: 'failed', failure: 'declined', key: `literal-failed-${number}` }))
    orders.requested.push(await copyOrder(stack, asked.id, { ...texts, failure_message: null, key: `literal-asked-${number}` }))
    const slug = `literal-${number}`
    await stack.change`insert into plans select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'slug', ${slug}, 'position', ${100 + number}::int))).* from plans p where p.slug = 'starter'`
    await stack.change`insert into plan_versions select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(), 'plan_id', (select id from plans where slug = ${slug}),
      'name', ${stored('name', number).slice(0, 80)}, 'description', ${stored('words', number)}))).* from plan_versions v where v.id = ${paid.plan_version_id}`
  }
  // Applications say what they spent credits on; without a word it is the key's name.
  const apps = []
  for (const number of everything) {
    const made = await stack.atlas('key', 'create', '--name', stored('key', number), '--app', 'literal')
    apps.push(made.trim().split(/\s+/).at(-1))
  }
  for (const [number, key] of apps.entries()) {
    for (const description of [stored('spend', number), undefined]) {
      const answer = await fetch(`${stack.app}/api/v1/spend`, {
        method: 'POST', body: JSON.stringify({ owner: person, credits: 1, description }),
        headers: { authorization: `Bearer ${key}`, 'idempotency-key': `literal-${number}-${description ? 1 : 2}`, 'content-type': 'application/json' },
      })
      assert.equal(answer.status, 200, await answer.text())
    }
  }
  await stack.change`update user_profiles set name = ${stored('person', 0).slice(0, 80)} where id = ${person}`
  return { storageState: await buyer.context.storageState(), person, orders, paid }
}

/** An order like another but for some of its columns; its id. */
async function copyOrder(stack, id, changes) {
  return stack.change`insert into credit_orders
    select (jsonb_populate_record(o, ${JSON.stringify(changes)}::jsonb || jsonb_build_object('id', gen_random_uuid(), 'checkout_id', null))).*
    from credit_orders o where o.id = ${id} returning id`
}

/** Every page that links lead to from `seeds`, once, and all that stands on them. */
async function walk(visitor, seeds, look) {
  const { page } = visitor
  const waiting = [...seeds]
  const seen = new Set(waiting)
  let text = ''
  for (let path; (path = waiting.shift());) {
    const answer = await page.goto(path)
    assert.ok(answer.status() < 500, `${path}: ${answer.status()}`)
    if (!(answer.headers()['content-type'] ?? '').startsWith('text/html')) continue
    text += `\n${await look(page, path)}`
    const links = await page.locator('a[href^="/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')))
    for (const link of links) {
      const next = link.split('#')[0]
      if (next && !seen.has(next) && !/\.csv|^\/pkg\/|export/.test(next) && seen.size < 400) waiting.push(next), seen.add(next)
    }
  }
  return { text, pages: seen.size }
}

/** Nothing was made of a text, and all of it can be read. */
async function lookAt(page, path) {
  assert.equal(await page.locator(strangers).count(), 0, `an element of a stranger's on ${path}`)
  const { scripts, text, title } = await page.evaluate(() => ({
    scripts: [...document.scripts].filter((script) => /alert\(/.test(script.textContent)).length,
    text: [document.body.textContent, ...[...document.querySelectorAll('input, textarea')].map((field) => field.value)].join('\n'),
    title: document.title,
  }))
  assert.equal(scripts, 0, `a script of a stranger's on ${path}`)
  return `${title}\n${text}`
}

/** Once for both ways of reading. */
let filled

for (const javascript of [true, false]) {
  story(`what strangers stored is text on every page, ${javascript ? 'with' : 'without'} JavaScript (T52, T53, T54)`, async ({ visit, stack }) => {
    filled ??= await fill(stack, visit)
    const { storageState, person, orders, paid } = filled
    const admin = await visit({ javascript })
    await signIn(admin, 'admin@example.com', 'admin-demo-password')
    await admin.page.waitForURL(/\/(credits|admin)/)
    const reader = await visit({ javascript, storageState })
    for (const visitor of [reader, admin]) visitor.page.on('dialog', (dialog) => assert.fail(`a dialog: ${dialog.message()}`))
    // Foreign orders and old pages may say 404, which is no complaint.
    for (const visitor of [reader, admin]) visitor.expected.push(/status of 40[34]/)

    const statuses = [...orders.failed, ...orders.requested].map((id) => `/payment/status?order=${id}`)
    const seeds = ['/', '/credits', '/account', '/transactions', '/account/security', '/account/data', ...statuses, `/receipt/${paid.id}`]
    const read = await walk(reader, seeds, lookAt)
    for (const number of everything) {
      for (const field of ['plan', 'note', 'failure', 'name', 'words', 'spend', 'key']) {
        const wanted = ['plan', 'name'].includes(field) ? stored(field, number).slice(0, 80) : stored(field, number)
        assert.ok(read.text.includes(wanted), `${wanted} can be read nowhere by its buyer`)
      }
    }
    // A name stands on every page: one page for each text, and the header is the same on all.
    for (const number of everything) {
      const name = stored('person', number).slice(0, 80)
      await stack.change`update user_profiles set name = ${name} where id = ${person}`
      await reader.page.goto('/account')
      assert.ok((await lookAt(reader.page, '/account')).includes(name), name)
    }
    await reader.page.goto(`/receipt/${paid.id}`)
    await lookAt(reader.page, '/receipt')

    const run = await walk(admin, ['/', '/account', '/admin', '/admin/orders', '/admin/people', '/admin/plans', '/admin/events', '/admin/audit', ...statuses.slice(0, 2)], lookAt)
    assert.ok(read.pages > 100 && run.pages > 8, `${read.pages} and ${run.pages} pages`)
    assert.doesNotMatch(stack.wholeLog(), /csp\.violated/)
  })
}
