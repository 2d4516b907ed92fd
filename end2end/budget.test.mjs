// What a page weighs over the wire, and how long its files may be kept.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { signUp } from './steps.mjs'

const { story } = stage()

const bytesMax = { scripts: 110_000, styles: 12_000 }
const kinds = { '.js': 'scripts', '.wasm': 'scripts', '.css': 'styles' }

/** Every file of ours that a visit loads: `{ path, bytes, headers }`, compressed as sent. */
async function filesOf(visitor, path) {
  const answers = []
  visitor.page.on('response', (answer) => answers.push(answer))
  await visitor.page.goto(path)
  await visitor.awake()
  await visitor.page.waitForLoadState('networkidle')
  const files = []
  for (const answer of answers) {
    await answer.finished()
    const { responseBodySize: bytes } = await answer.request().sizes()
    files.push({ path: new URL(answer.url()).pathname, bytes, headers: answer.headers(), status: answer.status() })
  }
  return files
}

story('wasm, JavaScript and CSS of the credits page stay within their budgets', async ({ visit, context }) => {
  // Signed up without loading anything ahead.
  const first = await visit({ javascript: false })
  await signUp(first)
  const visitor = await visit({ storageState: await first.context.storageState() })
  const files = await filesOf(visitor, '/credits')
  const weights = { scripts: 0, styles: 0 }
  for (const { path, bytes } of files) {
    const kind = kinds[path.slice(path.lastIndexOf('.'))]
    if (kind) weights[kind] += bytes
  }
  context.diagnostic(`/credits: ${JSON.stringify(weights)} bytes of brotli, budgets ${JSON.stringify(bytesMax)}`)
  for (const [kind, bytesMost] of Object.entries(bytesMax)) {
    assert.ok(weights[kind] > 1_000, `${kind} were measured`)
    assert.ok(weights[kind] < bytesMost, `${kind}: ${weights[kind]} of ${bytesMost} bytes`)
  }
  for (const { path, headers } of files.filter(({ path }) => path.startsWith('/pkg/'))) {
    assert.match(path, /\.[0-9a-f]{16}\.\w+$/, 'its content’s hash is in its name')
    assert.equal(headers['content-encoding'], 'br', path)
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable', path)
    assert.match(headers.vary ?? '', /accept-encoding/i, path)
  }
  const page = files.find(({ path }) => path === '/credits')
  assert.match(page.headers['cache-control'], /no-store/)
  for (const { path, status } of files) assert.ok(status < 400, `${path}: ${status}`)
})

story('what is loaded once is not loaded again', async ({ visit }) => {
  const visitor = await visit()
  await signUp(visitor)
  await visitor.page.goto('/credits')
  await visitor.awake()
  await visitor.page.goto('/transactions')
  await visitor.awake()
  const files = await visitor.page.evaluate(() =>
    performance.getEntriesByType('resource').filter(({ name }) => name.includes('/pkg/')).map(({ name, transferSize }) => ({ name, transferSize })),
  )
  const used = new Set(files.map(({ name }) => name.slice(name.lastIndexOf('.'))))
  assert.deepEqual([...used].sort(), ['.css', '.js', '.wasm'])
  assert.deepEqual(files.filter(({ transferSize }) => transferSize > 0), [], 'all of them came from the cache')
})

story('every page loads nothing from elsewhere', async ({ stack, visit }) => {
  const visitor = await visit()
  const foreign = []
  visitor.page.on('request', (request) => {
    if (!request.url().startsWith(stack.app) && !request.url().startsWith('data:')) foreign.push(request.url())
  })
  for (const path of ['/', '/sign-in', '/sign-up']) await visitor.page.goto(path)
  await signUp(visitor)
  for (const path of ['/credits', '/transactions', '/account']) await visitor.page.goto(path)
  assert.deepEqual(foreign, [])
})
