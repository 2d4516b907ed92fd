.DEFAULT_GOAL := help
.PHONY: help demo test dev check deny sbom fuzz scan slow bench chaos sequences sqlx screenshots

help: ## List these
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Install what is missing, build, start Atlas with its sandbox and demo data; Ctrl-C stops it
	@scripts/setup
	@exec node scripts/demo.mjs

test: ## Install what is missing and run every test, the browser's too
	@scripts/setup --test
	@exec node scripts/test.mjs

dev: ## The demo, rebuilt when a file changes
	@scripts/setup
	@exec node scripts/demo.mjs --watch

check: ## Before a commit: format, lints, queries, sizes
	@scripts/setup
	cargo fmt --all --check
	SQLX_OFFLINE=true cargo clippy --quiet --workspace --all-targets -- --deny warnings
	node scripts/lint.mjs
	node scripts/sqlx.mjs --check
	node scripts/build-site.mjs --check

fuzz: ## A minute of every fuzz target; ARGS="900 event" for fifteen of one
	@exec scripts/fuzz $(ARGS)

scan: ## sqlmap and wapiti over every page, form and parameter; ARGS=sqlmap
	@scripts/setup --scan
	@exec node scripts/scan.mjs $(ARGS)

slow: ## 4,000 slow senders, 200 sign-ins a second: others must not feel it; ARGS=senders
	@scripts/setup --scan
	@exec node scripts/slow.mjs $(ARGS)

deny: ## Licences, bans and sources of every dependency
	@exec scripts/deny

sbom: ## What is inside a release: target/atlas.cdx.json (CycloneDX)
	@exec node scripts/sbom.mjs

sqlx: ## Refresh .sqlx after a query or migration changed
	@scripts/setup
	@exec node scripts/sqlx.mjs

bench: ## Measure; ARGS chooses (docs/testing.md)
	@scripts/setup
	SQLX_OFFLINE=true cargo run --quiet --release --package bench -- $(ARGS)

chaos: ## A storm of faults, then every invariant checked; ARGS: --level weekly, --seed N, --planted (docs/testing.md)
	@scripts/setup
	SQLX_OFFLINE=true cargo run --quiet --release --package bench -- chaos $(ARGS)

sequences: ## All sequences of six events, and 10,000 of 500 steps on the ledger: half an hour
	@scripts/setup --test
	@exec node scripts/test.mjs sequences

screenshots: ## Make the pictures in docs anew
	@scripts/setup --test
	@exec node end2end/screenshots.mjs
