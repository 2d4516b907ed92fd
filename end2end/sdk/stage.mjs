// A sandbox of one's own for a test: starts the program on a free port, receives its webhooks, and stops it again.

import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'

export const KEY = 'sandbox-sdk-test-key'
export const ACCOUNT = 'biz_SdkTest01'
export const SECRET = 'ws_0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0'

const program = process.env.SANDBOX_BIN ?? fileURLToPath(new URL('../../target/debug/sandbox', import.meta.url))
const patience = 10_000

/** Starts an inbox and a sandbox that delivers to it. */
export async function startStage() {
  const inbox = await startInbox()
  const flags = ['--listen', '127.0.0.1:0', '--webhook-url', inbox.url, '--settle-ms', '20', '--seed', '7']
  const env = { ...process.env, WHOP_API_KEY: KEY, WHOP_COMPANY_ID: ACCOUNT, WHOP_WEBHOOK_SECRET: SECRET }
  const child = spawn(program, flags, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  // Should the tests end before they stop it.
  process.once('exit', () => child.kill())
  const base = await address(child)
  return {
    base,
    inbox,
    /** Pays a checkout without a browser. */
    async pay(checkoutId, more = {}) {
      const body = JSON.stringify({ checkout_id: checkoutId, ...more })
      const response = await fetch(`${base}/sandbox/pay`, { method: 'POST', body })
      if (!response.ok) throw new Error(`paying failed: ${response.status} ${await response.text()}`)
      return response.json()
    },
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = await ended
      inbox.close()
      return code
    },
  }
}

async function address(child) {
  const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the sandbox ended with ${code}`)))
  const missing = once(child, 'error').then(([error]) => Promise.reject(error))
  const listening = once(createInterface({ input: child.stdout }), 'line')
  failed.catch(() => {})
  missing.catch(() => {})
  const [line] = await Promise.race([listening, failed, missing])
  const found = /^sandbox listening on (http:\/\/\S+)$/.exec(line)
  if (!found) throw new Error(`unexpected first line: ${line}`)
  return found[1]
}

async function startInbox() {
  const received = []
  const server = createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      response.writeHead(200).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}/hooks`,
    received,
    close: () => server.close(),
    /** The first delivery of a type, for a payment if one is named. */
    async next(type, paymentId) {
      const end = Date.now() + patience
      while (Date.now() < end) {
        const found = received.find(({ body }) => {
          const event = JSON.parse(body)
          return event.type === type && (!paymentId || (event.data.payment?.id ?? event.data.id) === paymentId)
        })
        if (found) return found
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      throw new Error(`no ${type} arrived; ${received.length} others did`)
    },
  }
}
