import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { loadConfiguration } from '../../src/config/load.ts'
import { compileGroups } from '../../src/groups.ts'

const root = resolve(import.meta.dirname, '../..')
const kubernetes = join(root, 'deploy/kubernetes')
const environment = {
  DATABASE_URL: 'postgresql://gatehouse@db/gatehouse',
  REDIS_URL: 'redis://redis',
  DIRECTORY_PEPPER: 'a pepper for the tests, long enough',
}

const labels = z.strictObject({ 'app.kubernetes.io/name': z.literal('gatehouse') })
const selector = z.strictObject({ matchLabels: labels })
const named = z.object({ name: z.literal('gatehouse') })
const probe = (path: string) =>
  z.object({ httpGet: z.strictObject({ path: z.literal(path), port: z.literal('admin') }) })

const deployment = z.object({
  ...{ apiVersion: z.literal('apps/v1'), kind: z.literal('Deployment'), metadata: named },
  spec: z.object({
    selector,
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        terminationGracePeriodSeconds: z.int(),
        securityContext: z.object({ runAsNonRoot: z.literal(true) }),
        containers: z.tuple([
          z.object({
            ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })),
            startupProbe: probe('/readyz'),
            readinessProbe: probe('/readyz'),
            livenessProbe: probe('/livez'),
            resources: z.object({ requests: z.object({ cpu: z.string(), memory: z.string() }) }),
            securityContext: z.object({
              allowPrivilegeEscalation: z.literal(false),
              readOnlyRootFilesystem: z.literal(true),
            }),
          }),
        ]),
      }),
    }),
  }),
})
const service = z.object({
  ...{ apiVersion: z.literal('v1'), kind: z.literal('Service'), metadata: named },
  spec: z.object({ selector: labels, ports: z.array(z.object({ targetPort: z.string() })) }),
})
const budget = z.object({
  ...{ apiVersion: z.literal('policy/v1'), kind: z.literal('PodDisruptionBudget') },
  spec: z.strictObject({ minAvailable: z.int(), selector }),
})
const autoscaler = z.object({
  ...{ apiVersion: z.literal('autoscaling/v2'), kind: z.literal('HorizontalPodAutoscaler') },
  spec: z.object({
    scaleTargetRef: z.strictObject({
      ...{ apiVersion: z.literal('apps/v1'), kind: z.literal('Deployment') },
      name: z.literal('gatehouse'),
    }),
    minReplicas: z.int(),
    maxReplicas: z.int(),
  }),
})
const kustomization = z.object({
  resources: z.array(z.string()),
  configMapGenerator: z.tuple([z.strictObject({ name: z.string(), files: z.array(z.string()) })]),
})

async function read<Shape>(shape: z.ZodType<Shape>, path: string): Promise<Shape> {
  return shape.parse(parse(await readFile(join(root, path), 'utf8')))
}

/** As the pod sees it: the documents in a folder beside it. */
async function mountedConfiguration() {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-deploy-'))
  try {
    await mkdir(join(folder, 'apis'))
    await copyFile(join(kubernetes, 'gateway.yaml'), join(folder, 'gateway.yaml'))
    await copyFile(join(kubernetes, 'demo.yaml'), join(folder, 'apis/demo.yaml'))
    const configuration = await loadConfiguration(join(folder, 'gateway.yaml'), environment)
    const { catalog } = await compileGroups(configuration)
    return { configuration, operations: catalog.operations.length }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('the manifests run what the configuration beside them says, and keep enough of it running', async () => {
  const { spec } = (await read(deployment, 'deploy/kubernetes/deployment.yaml')).spec.template
  const { ports } = (await read(service, 'deploy/kubernetes/service.yaml')).spec
  const { minAvailable } = (await read(budget, 'deploy/kubernetes/disruption-budget.yaml')).spec
  const scale = (await read(autoscaler, 'deploy/kubernetes/autoscaler.yaml')).spec
  const { configuration, operations } = await mountedConfiguration()
  const { listen, shutdown, limits } = configuration

  expect(operations).toBeGreaterThan(0)
  expect(spec.containers[0].ports).toEqual([
    { name: 'https', containerPort: listen.public.port },
    { name: 'admin', containerPort: listen.admin.port },
  ])
  expect(ports.map(({ targetPort }) => targetPort)).toEqual(['https'])
  const longestStopMs = shutdown.readinessGraceMs + shutdown.timeoutMs
  expect(spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(longestStopMs)
  expect(minAvailable).toBeLessThan(scale.minReplicas)
  expect(limits.replicas).toBe(scale.maxReplicas)
})

test('the kustomization names every file of its folder, and the document is the one of config', async () => {
  const { resources, configMapGenerator } = await read(
    kustomization,
    'deploy/kubernetes/kustomization.yaml',
  )
  const named = ['kustomization.yaml', ...resources, ...configMapGenerator[0].files]
  expect((await readdir(kubernetes)).sort()).toEqual(named.sort())
  expect(await readFile(join(kubernetes, 'demo.yaml'), 'utf8')).toBe(
    await readFile(join(root, 'config/apis/demo.yaml'), 'utf8'),
  )
})

test('the dashboard and the alerts ask for metrics that there are', async () => {
  const operations = await readFile(join(root, 'docs/operations.md'), 'utf8')
  const table = [...operations.matchAll(/^\| `((?:gatehouse|process|nodejs)_\w+)` +\|/gm)]
  const known = new Set(table.map(([, name]) => name))
  const dashboard = await readFile(join(root, 'deploy/grafana/gatehouse.json'), 'utf8')
  const asked = `${dashboard}\n${operations}`.matchAll(
    /(?<![/\w])(?:gatehouse|process|nodejs)_\w+/g,
  )
  const names = [...asked].map(([name]) => name.replace(/_bucket$/, ''))
  expect([...new Set(names)].filter((name) => !known.has(name))).toEqual([])
})

const rule = z.strictObject({
  alert: z.string().regex(/^Gatehouse[A-Z]\w+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
  annotations: z.strictObject({ summary: z.string() }),
})
const rules = z.object({ groups: z.tuple([z.object({ rules: z.array(rule) })]) })

test('every alert of Prometheus has its lines in the runbook, and every one there is a rule', async () => {
  const [group] = (await read(rules, 'deploy/alerts.yaml')).groups
  const operations = await readFile(join(root, 'docs/operations.md'), 'utf8')
  const table = operations.slice(operations.indexOf('### Alerts'))
  const rows = table.matchAll(/^\| `(\w+)` +\| `(.+?)`(?: for (\w+))? +\| \S/gm)
  expect([...rows].map(([, ...cells]) => cells)).toEqual(
    group.rules.map((one) => [one.alert, one.expr, one.for]),
  )
  expect(group.rules.length).toBeGreaterThan(10)
  const { rule_files } = await read(
    z.object({ rule_files: z.array(z.string()) }),
    'deploy/prometheus.yaml',
  )
  expect(rule_files).toEqual(['alerts.yaml'])
  const compose = await readFile(join(root, 'docker-compose.yml'), 'utf8')
  expect(compose).toContain('- ./deploy/alerts.yaml:/etc/prometheus/alerts.yaml:ro')
})

test('Prometheus asks each gateway of docker-compose.yml on its admin listener', async () => {
  const job = z.object({
    static_configs: z.tuple([z.object({ targets: z.array(z.string()) })]),
  })
  const { scrape_configs } = await read(
    z.object({ scrape_configs: z.tuple([job]) }),
    'deploy/prometheus.yaml',
  )
  const { services } = await read(
    z.object({ services: z.record(z.string(), z.unknown()) }),
    'docker-compose.yml',
  )
  const gateways = Object.keys(services).filter((name) => name.startsWith('gateway-'))
  const { listen } = await loadConfiguration(join(root, 'deploy/gateway.yaml'), environment)
  expect(scrape_configs[0].static_configs[0].targets).toEqual(
    gateways.map((name) => `${name}:${listen.admin.port}`),
  )
  expect(listen.admin.host).toBe('0.0.0.0')
  expect(Object.keys(services)).toEqual(expect.arrayContaining(['prometheus', 'grafana']))
})
