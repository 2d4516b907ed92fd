// A test file's frame: one stack and one browser for all its stories, visitors for each. A story fails when a page of
// one of its visitors complained, whatever else it found, and shows the servers' logs when it fails.

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { stopOnSignals } from '../scripts/processes.mjs'
import { Visitor, launch } from './browser.mjs'
import { startStack } from './stack.mjs'

const out = fileURLToPath(new URL('out/', import.meta.url))
// Only for what hangs: each wait in a browser ends by itself after half a minute.
const storyTimeoutMs = 900_000

/** Call once a file: gives `story(name, body)` and `stories(name, body)`, which tells it with and without JavaScript. */
export function stage(settings = {}) {
  let stack
  let browser
  before(async () => {
    stopOnSignals(() => process.exit(130))
    stack = await startStack(settings)
    browser = await launch()
  }, { timeout: 120_000 })
  after(async () => {
    await browser?.close()
    await stack?.stop()
  }, { timeout: 60_000 })

  function story(name, body, given = {}) {
    test(name, { timeout: storyTimeoutMs }, async (context) => {
      const visitors = []
      const visit = async (options = {}) => {
        const visitor = await Visitor.open(browser, { at: stack.app, ...given, ...options })
        visitor.stack = stack
        visitors.push(visitor)
        return visitor
      }
      try {
        await stack.faults()
        await body({ stack, visit, context })
        const problems = new Set(visitors.flatMap((visitor) => visitor.problems))
        assert.equal(problems.size, 0, `pages complained:\n${[...problems].join('\n')}`)
      } catch (error) {
        await leaveTraces(context, name, visitors, stack)
        throw error
      } finally {
        for (const visitor of visitors) await visitor.close()
      }
    })
  }

  function stories(name, body) {
    for (const javascript of [true, false]) story(`${name}, ${javascript ? 'with' : 'without'} JavaScript`, body, { javascript })
  }

  return { story, stories }
}

async function leaveTraces(context, name, visitors, stack) {
  mkdirSync(out, { recursive: true })
  const file = name.replaceAll(/[^\w]+/g, '-').toLowerCase()
  for (const [index, visitor] of visitors.entries()) {
    context.diagnostic(`visitor ${index + 1} is at ${visitor.page.url()}`)
    await visitor.page.screenshot({ path: `${out}${file}-${index + 1}.png`, fullPage: true }).catch(() => {})
  }
  console.error(stack.log())
}
