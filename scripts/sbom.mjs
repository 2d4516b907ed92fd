#!/usr/bin/env node
// What is inside a release, as CycloneDX 1.5 says it: every crate that Cargo.lock names for the program and for what the
// browser loads, with version, licence, checksum, and who needs whom. Goes beside the program that is shipped.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './processes.mjs'

/** Name and version to SHA-256, out of Cargo.lock. */
function checksums() {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8')
  const entries = lock.matchAll(/name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(\w+)"/g)
  return new Map([...entries].map(([, name, version, checksum]) => [`${name}@${version}`, checksum]))
}

/** Everything that `names` need to be built and to run, without what only tests need. */
function needed(metadata, names) {
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]))
  const packages = new Map(metadata.packages.map((found) => [found.id, found]))
  const reached = new Map()
  const visit = (id) => {
    if (reached.has(id)) return
    const needs = nodes.get(id).deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind !== 'dev')).map(({ pkg }) => pkg)
    reached.set(id, { ...packages.get(id), needs })
    needs.forEach(visit)
  }
  for (const { id, name, source } of metadata.packages) if (source === null && names.includes(name)) visit(id)
  return reached
}

const reference = ({ name, version }) => `pkg:cargo/${name}@${version}`

export function bill(metadata, sums = checksums()) {
  const crates = needed(metadata, ['server', 'islands'])
  const program = [...crates.values()].find(({ name, source }) => name === 'server' && source === null)
  const component = (found) => ({
    type: 'library',
    'bom-ref': reference(found),
    name: found.name,
    version: found.version,
    purl: reference(found),
    ...(found.license && { licenses: [{ expression: found.license.replaceAll('/', ' OR ').replaceAll(/\s+/g, ' ') }] }),
    ...(sums.has(`${found.name}@${found.version}`) && { hashes: [{ alg: 'SHA-256', content: sums.get(`${found.name}@${found.version}`) }] }),
  })
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': reference(program), name: 'atlas', version: program.version } },
    components: [...crates.values()].filter((found) => found !== program).map(component),
    dependencies: [...crates.values()].map((found) => ({ ref: reference(found), dependsOn: found.needs.map((id) => reference(crates.get(id))) })),
  }
}

if (process.argv[1] === import.meta.filename) {
  const text = execFileSync('cargo', ['metadata', '--locked', '--format-version', '1'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] })
  const made = bill(JSON.parse(text))
  const file = join(root, 'target', 'atlas.cdx.json')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`)
  console.log(`${file}: ${made.components.length} components`)
}
