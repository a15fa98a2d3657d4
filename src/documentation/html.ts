/** HTML that is safe to put into a page: markup of ours, texts of others escaped. */
export type Html = { readonly html: string }

/**
 * Put texts into markup. A text is escaped; what is HTML already is not; lists are joined. No text of
 * a document ever becomes an address or markup, whatever it holds.
 */
export function html(markup: TemplateStringsArray, ...values: readonly Part[]): Html {
  return { html: markup.map((text, place) => text + rendered(values[place])).join('') }
}

type Part = Html | string | number | undefined | readonly Part[]

function rendered(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
  return isList(part) ? part.map(rendered).join('') : part.html
}

function isList(part: Html | readonly Part[]): part is readonly Part[] {
  return Array.isArray(part)
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** The paragraphs of a text; its Markdown is shown as it is written. */
export function paragraphs(text: unknown): readonly Html[] {
  if (typeof text !== 'string') return []
  const parts = text.split(/\n[ \t]*\n/).map((part) => part.trim())
  return parts.filter((part) => part !== '').map((part) => html`<p class="text">${part}</p> `)
}

/** A whole page with our stylesheet. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        ${body}
      </body>
    </html> `.html
}
