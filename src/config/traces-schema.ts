import { z } from 'zod'
import { httpUrl, milliseconds } from './values.ts'

export const ratio = z.number().min(0).max(1)

/** Where spans of requests are sent. Absent: nowhere, and nothing is loaded for it. */
export const traces = z
  .strictObject({
    endpoint: httpUrl.describe(
      'Where a collector takes OTLP over HTTP, as http://collector:4318/v1/traces.',
    ),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'Must be a field name'), z.string())
      .default({})
      .describe('Sent with each export; file: references, usually.'),
    sampleRatio: ratio.default(0.01).describe('Of all traces, decided by their ids.'),
    serviceName: z.string().min(1).default('gatehouse'),
    timeoutMs: milliseconds.default(5_000).describe('For one export.'),
  })
  .describe('OpenTelemetry traces (OTLP), continued from and to W3C trace context.')
