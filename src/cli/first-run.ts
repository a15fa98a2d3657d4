/** What the first start of an embedded gateway created. */
export type FirstRun = {
  readonly origin: string
  readonly keyId: string
  readonly secret: string
}

/** What the first start prints: the key, and calls that show an answer, a refusal and a limit. */
export function firstRunMessage({ origin, keyId, secret }: FirstRun): string {
  const credentials = `'${keyId}:${secret}'`
  return `
Gatehouse is ready. This first start created an organization, a user and a Cloud API key.
The secret is shown once, here:

  key id  ${keyId}
  secret  ${secret}

An authenticated call, with its limits in X-RateLimit-*:

  curl -i -u ${credentials} ${origin}/demo/v1/hello

A call without credentials, refused with 401:

  curl -i ${origin}/demo/v1/hello

More calls than the limit of the trial API allows, the last of them refused with 429:

  for i in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{http_code}\\n' -u ${credentials} ${origin}/trial/demo/v1/hello; done

`
}
