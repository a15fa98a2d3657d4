/** The one stylesheet of the pages. What is wide scrolls within itself, so that no page does. */
export const stylesheet = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 3rem; border-top: 1px solid #8886; padding-top: 1rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
code, pre, .method { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; max-height: 30rem; padding: .6rem; border: 1px solid #8886; white-space: pre; overflow-wrap: normal; }
.text { white-space: pre-line; } .method { font-weight: 700; } .note { opacity: .75; }
.stage { border: 1px solid #8888; border-radius: .3rem; padding: 0 .4rem; font-size: .8rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; overflow-wrap: normal; }
ul { padding-left: 1.2rem; } dd { margin-left: 1.2rem; }
nav ul { list-style: none; padding-left: 0; }
`
