import type { Command } from 'commander'
import { outputOf } from '../output.ts'
import { table } from '../table.ts'
import { json, type Json } from './client.ts'
import type { Io } from './io.ts'
import { memberAt, shown } from './members.ts'
import type { OpenApi } from './resource-commands.ts'

/** Add the command that tells what a request would meet, without sending it. */
export function addExplain(program: Command, openApi: OpenApi, io: Io): void {
  program
    .command('explain')
    .description('which operation a request names, what opens it, and which limits apply to you')
    .argument('<method>', 'such as GET')
    .argument('<url>', 'a path with its query, or an http URL')
    .action(async (method: string, url: string, _: unknown, command: Command) => {
      const api = await openApi(command.optsWithGlobals())
      const question = json({ method: method.toUpperCase(), url })
      const { body } = await api.call('POST', '/gatehouse/v1/explanations', question)
      io.out(
        outputOf(command) === 'json' ? `${JSON.stringify(body, null, 2)}\n` : explanation(body),
      )
    })
}

/** For people: the operation, what opens it, and a table of limits. */
export function explanation(body: Json): string {
  const facts = ['operation_id', 'group', 'method', 'path', 'stage'].map((name) => [
    name.toUpperCase(),
    shown(memberAt(body, `operation.${name}`)),
  ])
  const opened = listOf(body, 'opened_by').map((all) =>
    (Array.isArray(all) ? (all as readonly Json[]) : []).map(schemeOf).join(' and '),
  )
  const limits = listOf(body, 'limits').map((limit) =>
    ['name', 'kind', 'limit', 'window_seconds'].map((name) => shown(memberAt(limit, name))),
  )
  return [
    table(
      ['OUTCOME', shown(body['outcome'])],
      facts.filter(([, value]) => value !== ''),
    ),
    ...(opened.length === 0
      ? []
      : [
          table(
            ['OPENED BY'],
            opened.map((one) => [one || 'anybody']),
          ),
        ]),
    ...(limits.length === 0 ? [] : [table(['LIMIT', 'KIND', 'VALUE', 'SECONDS'], limits)]),
  ].join('\n')
}

function schemeOf(scheme: Json): string {
  const scopes = listOf(scheme, 'scopes').map(shown).join(' ')
  return `${shown(scheme['scheme'])}${scopes === '' ? '' : ` (${scopes})`}`
}

function listOf(object: Json, name: string): readonly unknown[] {
  const list = object[name]
  return Array.isArray(list) ? (list as readonly unknown[]) : []
}
