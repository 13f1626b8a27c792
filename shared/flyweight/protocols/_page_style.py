"""The style of the page: legible on light and on dark screens, on narrow ones, and with few colours."""

STYLE = """
:root {
  --paper: #fbfbfd; --card: #fff; --ink: #1b1f27; --faint: #565e6c; --line: #d9dde5; --edge: #7d8695;
  --mark: #1f5fc4; --on-mark: #fff; --bar: #2f72dd; --rail: #e6ebf4; --problem: #b3261e; --problem-paper: #fdeeed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12151b; --card: #1a1e26; --ink: #e8ebf1; --faint: #a4adbc; --line: #303744; --edge: #77829a;
    --mark: #8ab4ff; --on-mark: #0d1524; --bar: #6ea2ff; --rail: #29303d; --problem: #ff9d94; --problem-paper: #3a1f1e;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; padding-bottom: 1.25rem; }
header p { margin: .25rem 0; color: var(--faint); }
header ul { display: flex; flex-wrap: wrap; gap: 1.25rem; list-style: none; margin: .5rem 0 0; padding: 0; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 0 0 .9rem; font-size: 1.15rem; }
h3 { margin: 0; font-size: .95rem; }
.version { color: var(--faint); font-weight: 400; font-size: 1.1rem; }
a { color: var(--mark); }
main {
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); grid-template-rows: auto auto 1fr auto; gap: 1.25rem;
  padding-bottom: 3rem; align-items: start;
}
.beside { grid-column: 2; grid-row: 1 / span 3; display: grid; gap: 1.25rem; }
.wide { grid-column: 1 / -1; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; min-width: 0; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0; margin-bottom: .75rem; color: var(--faint); }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(14rem, 100%), 1fr)); gap: 1rem; }
.field { display: flex; flex-direction: column; gap: .25rem; min-width: 0; }
.flag { display: grid; grid-template-columns: auto 1fr; align-items: center; align-content: start; column-gap: .5rem; }
.flag small, .flag .problem { grid-column: 1 / -1; }
label { font-weight: 600; }
small { color: var(--faint); font-size: .85rem; }
input, select, textarea {
  font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: .4rem;
  padding: .45rem .6rem; width: 100%;
}
input[type=checkbox] { width: 1.25rem; height: 1.25rem; accent-color: var(--mark); }
textarea { font-family: ui-monospace, monospace; font-size: .9rem; }
[aria-invalid] { border-color: var(--problem); border-width: 2px; }
.problem { margin: 0; color: var(--problem); font-size: .9rem; }
section > .problem { padding: .6rem .75rem; background: var(--problem-paper); border-radius: .4rem; }
button {
  font: inherit; font-weight: 600; min-height: 2.5rem; padding: .4rem 1.1rem; border-radius: .4rem;
  border: 1px solid var(--mark); background: var(--mark); color: var(--on-mark); cursor: pointer;
}
.quiet { background: transparent; color: var(--mark); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
#told { margin: 0; }
#told strong { font-size: 1.35rem; }
table { width: 100%; border-collapse: collapse; margin-top: 1rem; }
caption { text-align: left; color: var(--faint); font-size: .9rem; padding-bottom: .25rem; }
th { text-align: left; font-weight: 500; overflow-wrap: break-word; padding: .3rem .75rem .3rem 0; }
tbody tr:first-child th, tbody tr:first-child .number { font-weight: 700; }
.bar { width: 50%; position: relative; }
.bar i {
  display: block; position: relative; height: .9rem; min-width: 2px; border-radius: .2rem;
  background: var(--bar); forced-color-adjust: none;
}
.bar::before {
  content: ""; position: absolute; inset: 50% 0 auto; height: .9rem; transform: translateY(-50%);
  border-radius: .2rem; background: var(--rail);
}
.number { text-align: right; font-variant-numeric: tabular-nums; padding-left: .75rem; white-space: nowrap; }
details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--mark); }
.note { margin: .75rem 0 0; color: var(--faint); font-size: .85rem; }
pre {
  margin: .5rem 0 0; padding: .75rem; background: var(--paper); border: 1px solid var(--line); border-radius: .4rem;
  font: .85rem/1.5 ui-monospace, monospace; white-space: pre-wrap; max-height: 32rem; overflow: auto;
}
code { font: .9em ui-monospace, monospace; }
.code { display: grid; grid-template-columns: 1fr auto; align-items: center; margin-top: 1rem; }
.code pre { grid-column: 1 / -1; min-width: 0; }
.code button { min-height: 2rem; padding: .2rem .8rem; }
h2 + .code { margin-top: 0; }
#copied { margin: .5rem 0 0; min-height: 1.5rem; color: var(--faint); }
section > ul { margin: 0; padding-left: 1.2rem; }
dl { margin: 0; }
dt { font-weight: 600; }
dd { margin: 0; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .5rem 1rem; }
.protocols { margin-top: .75rem; display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .75rem 1.5rem; }
.protocols ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0; padding: 0; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--card); }
@media (max-width: 52rem) {
  main { grid-template-columns: minmax(0, 1fr); grid-template-rows: none; }
  .beside { grid-column: auto; grid-row: auto; }
  .protocols, .facts { grid-template-columns: minmax(0, 1fr); gap: .15rem; }
  .protocols dd, .facts dd { margin-bottom: .6rem; }
}
@media (prefers-reduced-motion: no-preference) { .bar i { transition: width .2s; } }
@media (forced-colors: active) { .bar i { background: CanvasText; } }
"""
