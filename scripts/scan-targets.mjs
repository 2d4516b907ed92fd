// What `make scan` takes apart: every page with every parameter it reads, every form, every JSON route. The forms are read from
// the sources; scan.test.mjs says when a page, a parameter or a route is missing here.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './processes.mjs'

const days = 'from=2026-01-01&to=2026-12-31'
/** A star: sqlmap looks at what stands before it, too. */
const forBuyers = ({ order, plan }) => [
  '/', '/sign-in?next=/credits', '/sign-in/code?next=/credits', '/sign-in/refused', '/sign-up?next=/credits', '/forgot-password', '/set-up',
  '/reset-password?token=x', '/confirm-email?token=x', '/keep-email?token=x', `/credits?plan=${plan}&currency=eur`,
  `/payment/status?order=${order}&payment_id=x&status=x&refreshed=1`, `/payment/status?payment=x`, `/payment/events?order=${order}`,
  `/transactions?direction=in&kind=grant&before=1&after=1&${days}&page=1`, `/transactions.csv?direction=in&kind=grant&${days}`,
  `/transactions/${order}*`, `/receipt/${order}*`, '/account', '/account/delete', '/account/second-factor', '/account/password', '/account/email',
  '/confirm?return_to=/credits', '/api/whop/auth?next=/credits', '/api/whop/callback?code=x&state=x&error=x&iss=x', '/api/whop/verify',
  '/api/credit-orders?after=1&limit=2', '/api/openapi.json', '/embed/credits?token=x',
]
const forAdmins = ({ order, plan, person }) => {
  const orders = `state=paid&provider=whop&plan=${plan}&${days}&sort=oldest&q=x`
  return [
    `/admin?period=custom&${days}&zone=Europe/Berlin&compare=x`, `/admin/orders?${orders}&after=0.1`, `/admin/orders.csv?${orders}`, `/admin/orders/${order}*`,
    `/admin/orders/${order}/refund?payment=x&amount=1.00`, `/admin/orders/answer?order=${order}`, '/admin/disputes', `/admin/approvals?look=${order}`,
    '/admin/people?q=x&path=own', `/admin/people/${person}*?before=1`, '/admin/events?state=parked&before=1', `/admin/events/${order}*`, '/admin/plans', '/admin/plans/new',
    `/admin/plans/${plan}*`, `/admin/audit?who=x&deed=registered&${days}&before=9`, '/admin/settings',
    `/api/admin/credit-orders?${orders}&after=1&limit=2`, `/api/admin/credit-orders/${order}*`, '/api/admin/whop-plans', `/api/admin/whop-plans/${plan}*`,
  ]
}

const json = (method, path, body, headers = []) => ({ method, path, data: JSON.stringify(body), headers: ['Content-Type: application/json', ...headers] })
const apiForBuyers = ({ key, order, person, plan }) => [
  json('POST', '/api/v1/spend', { owner: person, credits: 1, description: 'x' }, [`Authorization: Bearer ${key}`, 'Idempotency-Key: scan-1*']),
  json('POST', '/api/credit-orders', { plan, note: 'x', currency: 'usd' }, ['Idempotency-Key: scan-json-1*']),
  json('POST', '/api/whop/refresh', { order }),
]
const apiForAdmins = ({ order, plan }) => {
  const terms = { name: 'Scan', description: 'x', credits: 10, price_minor: 100, currency: 'usd', visibility: 'unlisted', other_prices: [{ currency: 'eur', price_minor: 90 }], expires_after_days: 9, bonus_credits: 1, bonus_expires_after_days: 9 }
  return [
    json('PATCH', `/api/admin/credit-orders/${order}`, { state: 'approved', credits: 10, reason: 'x' }),
    json('POST', '/api/admin/whop-plans', terms),
    json('PATCH', `/api/admin/whop-plans/${plan}`, { ...terms, version: 1, reason: 'x' }),
    { method: 'DELETE', path: `/api/admin/whop-plans/${plan}*?reason=x` },
  ]
}

/** Every form there is, read from the sources, so that a new one can't be forgotten: path and the names of its fields. */
export function forms() {
  const folder = join(root, 'app/src/actions')
  const texts = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs')).map((name) => readFileSync(join(folder, name), 'utf8'))
  const pattern = /#\[server\([^)]*prefix = "([^"]+)"[^)]*endpoint = "([^"]+)"[^)]*\)\]\s*pub async fn \w+\(([^)]*)\)/g
  return texts.flatMap((text) => [...text.matchAll(pattern)].map(([, prefix, endpoint, list]) => ({
    path: `${prefix}/${endpoint}`, fields: [...list.matchAll(/(\w+):/g)].map(([, name]) => name),
  })))
}

const value = (name, scene) => ({
  email: scene.email, password: 'correct horse battery', current: 'wrong horse battery', new: 'correct horse battery 2', plan: scene.plan,
  key: 'scan-key-0002', session: scene.order, theme: 'dark', next: '/credits', name: 'Scan', note: 'x',
  orders: scene.order, order: scene.order, event: scene.order, person: scene.person, reason: 'x', message: 'x', role: 'support', form: 'json',
})[name] ?? '1'

/** What is taken apart as this one: `path` with its query, and for what is sent `method`, `data`, `headers`. */
export function targets(scene, who) {
  const isAdmin = who === 'an admin'
  const pages = isAdmin ? forAdmins(scene) : forBuyers(scene)
  const sent = forms().filter(({ path, fields }) => fields.length > 0 && (!isAdmin || path.startsWith('/do/admin/'))).map(({ path, fields }) => ({
    path, data: fields.map((name) => `${name}=${encodeURIComponent(value(name, scene))}`).join('&'),
  }))
  // Not a server function, so not among them: its answer is a file.
  const own = isAdmin ? [] : [{ path: '/account/export', data: 'form=json' }]
  return [...pages.map((path) => ({ path })), ...own, ...(isAdmin ? apiForAdmins(scene) : apiForBuyers(scene)), ...sent]
}
