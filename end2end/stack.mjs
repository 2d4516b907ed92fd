// One whole Atlas for one test file: a database of its own, the sandbox in Whop's place, the app. Nothing is shared, so
// files may run side by side, and nothing is left behind.
//
// DATABASE_URL names a superuser's database of a PostgreSQL to make ours in; without it a throw-away one is started.
// ATLAS_BIN, SANDBOX_BIN and ATLAS_SITE_DIR name the programs and the built site; by default they are what the build
// leaves under target/.

import { execFile } from 'node:child_process'
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { startCluster } from '../scripts/cluster.mjs'
import { freePort, root, startServer, stop } from '../scripts/processes.mjs'

const exec = promisify(execFile)
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target')
const atlasBin = resolve(root, process.env.ATLAS_BIN ?? join(target, 'debug', 'atlas'))
const sandboxBin = resolve(root, process.env.SANDBOX_BIN ?? join(target, 'debug', 'sandbox'))
const siteDir = resolve(root, process.env.ATLAS_SITE_DIR ?? join(target, 'site'))
const readyTimeoutMs = 30_000

/** Starts everything and waits until it answers. `settings`: further environment variables; `fresh`: as nobody set it up. */
export async function startStack(settings = {}) {
  const stack = new Stack()
  try {
    await stack.start(settings)
  } catch (error) {
    const log = stack.log()
    await stack.stop()
    throw new Error(`the stack did not start: ${error.message}\n${log}`, { cause: error })
  }
  return stack
}

class Stack {
  app
  sandbox
  secret = `ws_${randomBytes(32).toString('hex')}`
  #apiKey = `apik_${randomBytes(24).toString('hex')}`
  company = `biz_${randomBytes(7).toString('hex')}`
  client = `app_${randomBytes(7).toString('hex')}`
  #cluster
  #name = `e2e_${randomBytes(6).toString('hex')}`
  #database
  #env
  #folder = mkdtempSync(join(tmpdir(), 'atlas-e2e-'))
  #children = []

  async start({ fresh = false, ...settings }) {
    this.#cluster = process.env.DATABASE_URL ? { url: process.env.DATABASE_URL, stop() {} } : await startCluster()
    await psql(this.#cluster.url, `create database ${this.#name}`)
    this.#database = Object.assign(new URL(this.#cluster.url), { pathname: `/${this.#name}` }).href
    const port = await freePort()
    this.app = `http://127.0.0.1:${port}`
    const env = {
      ...process.env,
      WHOP_API_KEY: this.#apiKey,
      WHOP_COMPANY_ID: this.company,
      WHOP_WEBHOOK_SECRET: this.secret,
      WHOP_CLIENT_ID: this.client,
      SANDBOX_REDIRECT_URI: `${this.app}/api/whop/callback`,
      SANDBOX_LISTEN: '127.0.0.1:0',
      SANDBOX_WEBHOOK_URL: `${this.app}/api/webhooks/whop`,
      DATABASE_URL: this.#database,
      ATLAS_ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
      ATLAS_REQUIRE_SECOND_FACTOR: 'off',
      PAYMENT_PROVIDER: 'whop',
      ATLAS_LISTEN: `127.0.0.1:${port}`,
      ATLAS_PUBLIC_URL: this.app,
      ATLAS_TRUSTED_PROXIES: '127.0.0.1',
      ATLAS_SITE_DIR: siteDir,
      ...settings,
    }
    this.#env = env
    this.sandbox = await this.#startServer('sandbox', sandboxBin, [], fresh ? { ...env, SANDBOX_WEBHOOK_URL: '' } : env)
    Object.assign(env, { WHOP_API_URL: `${this.sandbox}/api/v1`, WHOP_OAUTH_URL: `${this.sandbox}/oauth`, WHOP_WEB_URL: this.sandbox })
    if (fresh) for (const name of ['WHOP_API_KEY', 'WHOP_COMPANY_ID', 'WHOP_WEBHOOK_SECRET']) delete env[name]
    else await exec(atlasBin, ['seed-demo'], { env, cwd: root })
    await this.#startServer('atlas', atlasBin, ['serve'], env)
    await waitFor(async () => (await fetch(`${this.app}/readyz`)).ok, '/readyz', readyTimeoutMs)
  }

  async #startServer(name, program, args, env) {
    const server = await startServer(program, args, { env, log: join(this.#folder, `${name}.log`) })
    if (!server.address) throw new Error(`${name} ended: ${server.lastWords()}`)
    this.#children.push(server.child)
    return server.address
  }

  /** What a command of the operator's says in JSON. */
  async told(...command) {
    return JSON.parse(await this.atlas(...command))
  }

  async stop() {
    for (const child of this.#children.reverse()) await stop(child)
    if (this.#cluster) {
      await psql(this.#cluster.url, `drop database if exists ${this.#name} with (force)`)
      this.#cluster.stop()
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** All that the app logged. */
  wholeLog() {
    return readFileSync(join(this.#folder, 'atlas.log'), 'utf8')
  }

  /** The database as a backup has it: text. */
  async dump() {
    return (await exec('pg_dump', ['--dbname', this.#database, '--inserts'], { maxBuffer: 1 << 30 })).stdout
  }

  /** Values that must never be seen anywhere but where they were given. */
  get secrets() {
    return { 'the API key for Whop': this.#apiKey, 'the webhook secret': this.secret }
  }

  /** The last lines of both logs. */
  log() {
    return ['atlas', 'sandbox'].map((name) => `--- ${name}.log\n${tail(join(this.#folder, `${name}.log`))}`).join('\n')
  }

  /** What only somebody can do who owns the database and means harm. */
  async damage(statements) {
    await psql(this.#database, statements)
  }

  /** What one of the operator's commands prints. */
  async atlas(...words) {
    return (await exec(atlasBin, words, { env: this.#env, cwd: root })).stdout.trim()
  }

  /** Rows of a query, as its owner: sql`select 1 from t where id = ${id}`. */
  async sql(parts, ...values) {
    const query = String.raw({ raw: parts }, ...values.map(literal))
    return JSON.parse(await psql(this.#database, `with answer as (${query}) select coalesce(json_agg(answer), '[]') from answer`))
  }

  /** Changes rows, as their owner: past every check but the tables' own. What it returns, as text. */
  async change(parts, ...values) {
    return psql(this.#database, String.raw({ raw: parts }, ...values.map(literal)))
  }

  /** One of the sandbox's control routes, under /sandbox/. */
  async control(path, body, method = body === undefined ? 'GET' : 'POST') {
    return this.#ask(`${this.sandbox}/sandbox/${path}`, { method, body: body && JSON.stringify(body) })
  }

  /** Has the sandbox misbehave from now on; without a word it behaves again. */
  async faults(changes = {}) {
    await this.control('faults', {}, 'PUT')
    return this.control('faults', changes, 'PUT')
  }

  /** Whop's API, with the seller's key. */
  async whop(path) {
    return this.#ask(`${this.sandbox}/api/v1/${path}`, { headers: { authorization: `Bearer ${this.#apiKey}` } })
  }

  /** A change there by the seller's own hand. */
  async changeAtWhop(path, body, method = 'PATCH') {
    const headers = { authorization: `Bearer ${this.#apiKey}` }
    return this.#ask(`${this.sandbox}/api/v1/${path}`, { method, headers, body: JSON.stringify(body) })
  }

  async #ask(address, options) {
    const answer = await fetch(address, { ...options, headers: { 'content-type': 'application/json', ...options.headers } })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${options.method ?? 'GET'} ${address}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  /** All checkouts that Whop was asked to make. */
  async checkouts() {
    return (await this.whop(`checkout_configurations?account_id=${this.company}&first=100`)).data
  }

  /** An order as the database has it. */
  async order(id) {
    return (await this.sql`select * from credit_orders where id = ${id}`)[0]
  }

  /** How many grants there are, in all or for one order. */
  async grants(order = null) {
    const [{ count }] = await this.sql`select count(*)::int from credit_transactions where kind = 'grant' and (${order}::uuid is null or order_id = ${order}::uuid)`
    return count
  }

  /** Headers that make a body authentic, as Whop signs it. */
  sign(body, { id = `msg_${randomUUID().replaceAll('-', '')}`, seconds = Math.floor(Date.now() / 1000), secret = this.secret } = {}) {
    const signature = createHmac('sha256', secret).update(`${id}.${seconds}.`).update(body).digest('base64')
    return { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` }
  }
}

/** Asks again until the answer is true (or anything else that counts), and gives it back. */
export async function waitFor(question, what, timeoutMs = 15_000) {
  const until = Date.now() + timeoutMs
  let last
  for (;;) {
    try {
      const answer = await question()
      if (answer) return answer
    } catch (error) {
      last = error
    }
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: last })
    await new Promise((later) => setTimeout(later, 50))
  }
}

async function psql(database, command) {
  const { stdout } = await exec('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1', '--dbname', database, '--command', command])
  return stdout.trim()
}

function literal(value) {
  if (value === null || value === undefined) return 'null'
  return typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`
}

function tail(file, lines = 60) {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return '(none)'
  }
}
