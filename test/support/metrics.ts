/** What a gateway exposes to Prometheus. */
export async function metricsOf({ adminPort }: { readonly adminPort: number }): Promise<string> {
  return (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
}
