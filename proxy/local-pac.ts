/** A proxy auto-config file: whoever uses it sends to the local proxy what leads somewhere by it, and nothing else. */

/** `name` and `ports` as roles write them. */
export interface PacRule {
  readonly name: string
  readonly ports?: readonly (number | string)[]
}

/** `hosts`: on whatever port. Ranges of addresses, and any host at all, are left to the browser's own settings. */
export function pacFile(hosts: readonly string[], rules: readonly PacRule[], port: number): string {
  const named = rules.filter(({ name }) => name !== '*' && !name.includes('/'))
  const lines = named.map(({ name, ports = [] }) => [name, ports.map(endsOf)])
  return `function FindProxyForURL(url, host) {
  var name = host.toLowerCase(), found = /^([a-z]+):\\/\\/(?:[^\\/]*@)?(?:\\[[^\\]]*\\]|[^:\\/]*)(?::(\\d+))?/.exec(url) || []
  var port = Number(found[2] || (found[1] === 'https' || found[1] === 'wss' ? 443 : 80))
  var leads = ${JSON.stringify(hosts)}.indexOf(name) >= 0 || ${JSON.stringify(lines)}.some(function (rule) {
    var isNamed = rule[0] === name || (rule[0].slice(0, 2) === '*.' && ('.' + name).slice(1 - rule[0].length) === rule[0].slice(1) && name.length >= rule[0].length)
    return isNamed && rule[1].some(function (ends) { return port >= ends[0] && port <= ends[1] })
  })
  return leads ? 'PROXY 127.0.0.1:${port}' : 'DIRECT'
}
`
}

const endsOf = (ports: number | string): readonly number[] => {
  const [from, to = from] = String(ports).split('-').map(Number)
  return [from as number, to as number]
}
