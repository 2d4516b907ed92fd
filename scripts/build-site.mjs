#!/usr/bin/env node
// Builds what the browser loads into target/site: the islands as WebAssembly, one style sheet, the files of public/.
// Names carry a hash of the content, so that they may be cached for ever; brotli and gzip copies lie beside them.
//
//   scripts/build-site.mjs            build; steps whose input did not change are skipped
//   scripts/build-site.mjs --check    the same, and fail when a budget is exceeded
//   scripts/build-site.mjs --dev      quick and large, for work on the islands

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target')
const work = join(target, 'site-work')
const site = join(target, 'site')
const development = process.argv.includes('--dev')
const wasmBindgenVersion = '0.2.130'

// What a page may weigh, in bytes of brotli.
const budgets = { 'wasm + js': 110_000, css: 12_000 }
// Older browsers are served as they are; these know nesting, light-dark() and @layer by themselves.
const browsers = { chrome: 123 << 16, firefox: 121 << 16, safari: (17 << 16) | (5 << 8) }
// What rustc writes. Naming them one by one keeps wasm-opt from using what no browser reads yet.
const wasmFeatures = ['bulk-memory', 'bulk-memory-opt', 'call-indirect-overlong', 'multivalue', 'mutable-globals',
  'nontrapping-float-to-int', 'reference-types', 'sign-ext'].map((feature) => `--enable-${feature}`)
// A large function drawn into its only caller saves bytes, but costs more than that in brotli, which then finds fewer
// passages alike.
const inlining = ['--one-caller-inline-max-function-size=10']
const compressible = /\.(js|mjs|wasm|css|svg|txt|json|webmanifest|html|xml|map|ico)$/

function fail(sentence) {
  console.error(`build-site: ${sentence}`)
  process.exit(1)
}

const hash = (...parts) => parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest('hex').slice(0, 16)

function run(program, args, options = {}) {
  try {
    return execFileSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  } catch (error) {
    if (error.code === 'ENOENT') fail(`${program} is missing; scripts/setup installs it`)
    process.exit(error.status ?? 1)
  }
}

const files = (folder) =>
  !existsSync(folder)
    ? []
    : readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort()

// ---- Steps. Each returns the files it made, as [path under the site, bytes]; `key` says whether its input is new.

function compileIslands() {
  const profile = development ? 'dev' : 'wasm-release'
  run('cargo', ['build', '--quiet', '--package', 'islands', '--target', 'wasm32-unknown-unknown', '--profile', profile])
  return readFileSync(join(target, 'wasm32-unknown-unknown', development ? 'debug' : profile, 'islands.wasm'))
}

function bindIslands(wasm) {
  const out = join(work, 'bindgen')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const input = join(work, 'islands.wasm')
  writeFileSync(input, wasm)
  run(wasmBindgen(), [input, '--target', 'web', '--no-typescript', '--out-dir', out, '--out-name', 'atlas'])
  const bound = join(out, 'atlas_bg.wasm')
  if (!development) {
    const optimise = join(root, 'end2end/node_modules/.bin/wasm-opt')
    run(optimise, ['-Oz', '--converge', ...inlining, ...wasmFeatures, '--strip-debug', '--strip-producers', bound, '-o', bound])
    // What this engine refuses, browsers refuse as well.
    new WebAssembly.Module(readFileSync(bound))
  }
  return {
    js: readFileSync(join(out, 'atlas.js')),
    wasm: readFileSync(bound),
    snippets: files(join(out, 'snippets')).map((file) => [file.slice(out.length + 1), readFileSync(file)]),
  }
}

function wasmBindgen() {
  const places = [join(root, '.tools/bin'), ...(process.env.PATH ?? '').split(delimiter)]
  for (const place of places) {
    const program = join(place, 'wasm-bindgen')
    if (!existsSync(program)) continue
    const version = execFileSync(program, ['--version']).toString().trim()
    if (version === `wasm-bindgen ${wasmBindgenVersion}`) return program
  }
  fail(`wasm-bindgen ${wasmBindgenVersion} is missing; scripts/setup installs it`)
}

function styleSources() {
  // main.css only imports the others, for those who use cargo-leptos.
  const sources = files(join(root, 'style')).filter((file) => file.endsWith('.css') && !file.endsWith('/main.css'))
  return sources.map((file) => readFileSync(file)).reduce((all, one) => Buffer.concat([all, Buffer.from('\n'), one]), Buffer.alloc(0))
}

function minifyStyle(source) {
  let lightningcss
  try {
    lightningcss = createRequire(join(root, 'end2end/package.json'))('lightningcss')
  } catch {
    fail('lightningcss is missing; scripts/setup installs it')
  }
  try {
    return Buffer.from(lightningcss.transform({ filename: 'style', code: source, minify: !development, targets: browsers }).code)
  } catch (error) {
    fail(`the style sheets can't be read: ${error.message} (line ${error.loc?.line} of all of style/*.css joined)`)
  }
}

function compressed(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: development ? 4 : 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  return { br: brotliCompressSync(bytes, { params }), gz: gzipSync(bytes, { level: 9 }) }
}

// ---- All of it, with a note of what went in, so that the next run can skip what is the same.

function main() {
  const began = Date.now()
  mkdirSync(work, { recursive: true })
  const noted = readNote()
  const islands = compileIslands()
  const style = styleSources()
  const publicFiles = files(join(root, 'public')).map((file) => [file.slice(root.length + '/public/'.length), readFileSync(file)])
  const self = readFileSync(fileURLToPath(import.meta.url))
  const key = hash(self, String(development), islands, style, ...publicFiles.flat())
  if (noted?.key === key && existsSync(join(site, 'hash.txt'))) return report(noted.sizes, began, 'is up to date')

  const islandsKey = hash(self, String(development), islands)
  const bound = noted?.islandsKey === islandsKey && existsSync(join(work, 'bindgen/atlas.js')) ? rereadIslands() : bindIslands(islands)
  const css = minifyStyle(style)
  const names = { js: hash(bound.js), wasm: hash(bound.wasm), css: hash(css) }
  const made = [
    [`pkg/atlas.${names.js}.js`, bound.js],
    [`pkg/atlas.${names.wasm}.wasm`, bound.wasm],
    [`pkg/atlas.${names.css}.css`, css],
    ...bound.snippets.map(([path, bytes]) => [`pkg/${path}`, bytes]),
    ...publicFiles,
  ]
  const sizes = write(made, names, noted?.development === development)
  writeFileSync(join(work, 'note.json'), JSON.stringify({ key, islandsKey, development, sizes }))
  report(sizes, began, 'built')
}

function readNote() {
  try {
    return JSON.parse(readFileSync(join(work, 'note.json'), 'utf8'))
  } catch {
    return undefined
  }
}

function rereadIslands() {
  const out = join(work, 'bindgen')
  return {
    js: readFileSync(join(out, 'atlas.js')),
    wasm: readFileSync(join(out, 'atlas_bg.wasm')),
    snippets: files(join(out, 'snippets')).map((file) => [file.slice(out.length + 1), readFileSync(file)]),
  }
}

// Written beside its place and moved there whole: a server that starts meanwhile sees the old site or the new one.
function write(made, names, reuse) {
  const fresh = `${site}.new`
  rmSync(fresh, { recursive: true, force: true })
  const sizes = { js: 0, wasm: 0, css: 0 }
  for (const [path, bytes] of made) {
    const file = join(fresh, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
    if (!compressible.test(path)) continue
    const kind = path.startsWith('pkg/') ? path.split('.').pop() : undefined
    const old = join(site, path)
    if (reuse && path.startsWith('pkg/atlas.') && existsSync(`${old}.br`)) {
      // Same name, same content: its copies are made already.
      for (const copy of ['br', 'gz']) cpSync(`${old}.${copy}`, `${file}.${copy}`)
    } else {
      const copies = compressed(bytes)
      for (const copy of ['br', 'gz']) writeFileSync(`${file}.${copy}`, copies[copy])
    }
    if (kind in sizes) sizes[kind] += statSync(`${file}.br`).size
  }
  writeFileSync(join(fresh, 'hash.txt'), `js: ${names.js}\nwasm: ${names.wasm}\ncss: ${names.css}\n`)
  const old = `${site}.old`
  rmSync(old, { recursive: true, force: true })
  if (existsSync(site)) renameSync(site, old)
  renameSync(fresh, site)
  rmSync(old, { recursive: true, force: true })
  return sizes
}

function report(sizes, began, what) {
  const weights = { 'wasm + js': sizes.wasm + sizes.js, css: sizes.css }
  const shown = Object.entries(weights).map(([name, bytes]) => `${name} ${(bytes / 1000).toFixed(1)} kB of ${budgets[name] / 1000}`)
  console.log(`site ${what} in ${((Date.now() - began) / 1000).toFixed(1)} s; as brotli: ${shown.join(', ')}`)
  const over = Object.entries(weights).filter(([name, bytes]) => bytes > budgets[name])
  for (const [name, bytes] of over) console.error(`build-site: ${name} is over its budget by ${bytes - budgets[name]} bytes`)
  if (over.length > 0 && process.argv.includes('--check') && !development) process.exit(1)
}

main()
