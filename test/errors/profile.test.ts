import { describe, expect, test } from 'vitest'
import { catalogue } from '../../src/errors/catalogue.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { errorProfiles, renderError, type ErrorProfile } from '../../src/errors/profile.ts'
import { hasShape } from '../../src/errors/upstream-body.ts'

const requestId = '0b5c2f0e-0000-4000-8000-000000000001'

function render(profile: ErrorProfile, error: GatewayError): unknown {
  return JSON.parse(
    renderError(profile, {
      error,
      requestId,
      path: '/demo/v1/hello',
      timestamp: '2026-01-02T03:04:05.678Z',
      docUrl: `https://api.example.com/docs/errors/${error.code}`,
    }),
  )
}

const limited = new GatewayError('RATE_LIMIT_EXCEEDED', {
  details: 'The limit of the user is reached.',
  retryAfterSeconds: 3,
})

test('the standard envelope has every member of the reference, the status as a string', () => {
  expect(render('standard', limited)).toEqual({
    status: '429',
    error: {
      code: 'RATE_LIMIT_EXCEEDED',
      message: 'Too many requests arrived in the current window',
      details: 'The limit of the user is reached.',
      timestamp: '2026-01-02T03:04:05.678Z',
      path: '/demo/v1/hello',
      suggestion: expect.stringMatching(/\.$/) as string,
    },
    requestId,
    doc_url: 'https://api.example.com/docs/errors/RATE_LIMIT_EXCEEDED',
  })
})

test('the standard envelope has no member without a value, and every text arrives as it was', () => {
  const pointer = '/spec/"name"'
  const error = new GatewayError('VALIDATION_FAILED', {
    details: 'A "quoted" text,\na line break and \u2028.',
    fields: [{ pointer, message: 'is \\ wrong' }],
    status: 422,
  })
  const text = renderError('standard', {
    error,
    requestId: 'an "id"',
    path: '/a"b\\c',
    timestamp: '2026-01-02T03:04:05.678Z',
    docUrl: 'https://api.example.com/"docs"',
  })
  expect(text).toBe(
    JSON.stringify({
      status: '422',
      error: {
        code: 'VALIDATION_FAILED',
        message: catalogue.VALIDATION_FAILED.message,
        details: error.details,
        timestamp: '2026-01-02T03:04:05.678Z',
        path: '/a"b\\c',
        suggestion: catalogue.VALIDATION_FAILED.suggestion,
        fields: error.fields,
      },
      requestId: 'an "id"',
      doc_url: 'https://api.example.com/"docs"',
    }),
  )
})

test('each other profile is the shape that its clients parse', () => {
  const message =
    'Too many requests arrived in the current window. The limit of the user is reached.'
  expect(render('connect', limited)).toEqual({ error: { code: 429, message }, requestId })
  expect(render('kafka-rest', limited)).toEqual({ error_code: 429, message, requestId })
  expect(render('schema-registry', limited)).toEqual({ error_code: 429, message, requestId })
  expect(render('json-api', limited)).toEqual({
    errors: [
      {
        id: requestId,
        status: '429',
        code: 'rate_limit_exceeded',
        title: 'Too many requests arrived in the current window',
        detail: 'The limit of the user is reached.',
        source: {},
      },
    ],
  })
  expect(render('oauth', limited)).toEqual({
    error: 'temporarily_unavailable',
    error_description: message,
    error_uri: 'https://api.example.com/docs/errors/RATE_LIMIT_EXCEEDED',
    requestId,
  })
})

test('Kafka REST refines 401 and 403 by its five-digit codes', () => {
  expect(render('kafka-rest', new GatewayError('CREDENTIAL_REJECTED'))).toMatchObject({
    error_code: 40101,
  })
  expect(render('kafka-rest', new GatewayError('ACCESS_DENIED'))).toMatchObject({
    error_code: 40301,
  })
})

test.each([
  ['INVALID_REQUEST', 'invalid_request'],
  ['CREDENTIAL_REJECTED', 'invalid_client'],
  ['ACCESS_DENIED', 'unauthorized_client'],
  ['DIRECTORY_UNAVAILABLE', 'temporarily_unavailable'],
  ['INTERNAL_ERROR', 'server_error'],
] as const)('OAuth clients are told %s as %s', (code, error) => {
  expect(render('oauth', new GatewayError(code))).toMatchObject({ error })
})

test('an OAuth description keeps to the characters that RFC 6749 allows', () => {
  const error = new GatewayError('INVALID_REQUEST', { details: 'No "quotes", \\ or é.' })
  expect(render('oauth', error)).toMatchObject({
    error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/) as string,
  })
})

describe('fields that failed validation are listed', () => {
  const error = new GatewayError('VALIDATION_FAILED', {
    fields: [
      { pointer: '/spec/display_name', message: 'Must not be empty' },
      { parameter: 'page_size', message: 'Must be at most 100' },
    ],
  })

  test('under error.fields in the standard envelope', () => {
    expect(render('standard', error)).toMatchObject({
      status: '422',
      error: {
        fields: [
          { pointer: '/spec/display_name', message: 'Must not be empty' },
          { parameter: 'page_size', message: 'Must be at most 100' },
        ],
      },
    })
  })

  test('as one error each in json-api', () => {
    expect(render('json-api', error)).toMatchObject({
      errors: [
        { detail: 'Must not be empty', source: { pointer: '/spec/display_name' } },
        { detail: 'Must be at most 100', source: { parameter: 'page_size' } },
      ],
    })
  })
})

test('what a profile renders, it recognises as its own shape', () => {
  for (const profile of errorProfiles) {
    expect([profile, hasShape(profile, render(profile, limited))]).toEqual([profile, true])
  }
})
