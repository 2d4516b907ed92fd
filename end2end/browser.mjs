// A real Chromium, and visitors in it whose pages must stay silent: what they complain about is kept for the test to
// fail on.

import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

// The first one is Chromium without its windows: the same pages for two thirds of the time.
const places = [
  process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
]
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
  // A page that a test makes up as Whop's may frame one of this machine, and be an http page.
  '--disable-features=LocalNetworkAccessChecks,HttpsUpgrades',
]
// The machine may be busy with much else.
const patienceMs = 30_000

export function launch() {
  const executablePath = places.find((place) => place && existsSync(place))
  if (!executablePath) throw new Error('no Chromium found; install it, or name it in CHROMIUM')
  return chromium.launch({ executablePath, args: flags })
}

/** A person with a browser of their own (cookies, cache), and everything their pages complained about. */
export class Visitor {
  problems = []
  /** What this visitor is sent into on purpose: /status of 404/ and the like. */
  expected = []
  #context

  /** `at`: where paths lead; `width`, `colorScheme`, `javascript`, `reducedMotion` as the browser shall be. */
  static async open(browser, { at, javascript = true, colorScheme = 'light', width = 1280, height = 900, ...others }) {
    const visitor = new Visitor()
    visitor.javascript = javascript
    // What the page loads ahead for its scripts is of no use then.
    if (!javascript) visitor.expected.push(/\/pkg\/atlas\.\w+\.(wasm|js) was preloaded/)
    visitor.#context = await browser.newContext({
      // Each from an address of its own, as if a proxy had said so: what is limited by address does not meet between tests.
      extraHTTPHeaders: { 'x-forwarded-for': someAddress() },
      baseURL: at, javaScriptEnabled: javascript, colorScheme, viewport: { width, height }, locale: 'en-GB', timezoneId: 'UTC', ...others,
    })
    visitor.#context.setDefaultTimeout(patienceMs)
    await visitor.#context.exposeBinding('cspViolated', (_, what) => visitor.#complain(`policy: ${what}`))
    await visitor.#context.addInitScript(watchPage)
    visitor.page = await visitor.newPage()
    return visitor
  }

  /** One more tab. */
  async newPage() {
    const page = await this.#context.newPage()
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#complain(`console: ${message.text()} (${message.location().url})`)
    })
    page.on('pageerror', (error) => this.#complain(`script: ${error.message}`))
    page.on('crash', () => this.#complain('the page crashed'))
    return page
  }

  #complain(problem) {
    if (!this.expected.some((pattern) => pattern.test(problem))) this.problems.push(problem)
  }

  /** Waits until the islands of a page of ours run; without scripts there is nothing to wait for. */
  async awake(page = this.page) {
    if (this.javascript) await page.waitForFunction(() => globalThis.islandsAwake)
  }

  cookies() {
    return this.#context.cookies()
  }

  get context() {
    return this.#context
  }

  close() {
    return this.#context.close()
  }
}

// Out of 198.18.0.0/15, which is for tests (RFC 2544).
function someAddress() {
  return `198.18.${randomInt(256)}.${randomInt(256)}`
}

// Runs in each page, before its own scripts.
function watchPage() {
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => cspViolated(`${violatedDirective} ${blockedURI}`))
  // The last island of a page is the one that listens to the document's forms.
  const listen = EventTarget.prototype.addEventListener
  document.addEventListener = function (kind, ...others) {
    if (kind === 'submit') globalThis.islandsAwake = true
    return listen.call(this, kind, ...others)
  }
}
