import { mostInSet } from '../../core/access/session-set.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { impersonateOption, principalOptions } from '../principal.ts'
import { optionsOfAll, optionsOfKube } from '../proxy-help.ts'
import { countOption } from '../shared-tap.ts'
import proxyTcp from './proxy-tcp.ts'

const { 'kube-user': user, 'kube-group': group } = principalOptions

export default command({
  doing: proxyTcp.doing,
  help: `Usage: sallyport proxy kube NAME... [--kube-user=USER] [--kube-group=GROUP ...] [--port=N]
       [--count=N] [--impersonate=USER] [--no-browser]

Listens on this machine for a Kubernetes cluster: the same as "sallyport proxy tcp
kube_cluster/NAME". TLS is kubectl's own with the cluster, and so is who you are there.
kubectl opens several connections: --count.

Options:
${optionsOfKube}${optionsOfAll}
Examples:
  sallyport proxy kube k8s --kube-user=ada --kube-group=developers --count=8
`,
  options: {
    port: { type: 'string' },
    'kube-user': user,
    'kube-group': group,
    ...impersonateOption,
    ...countOption,
    ...browserOption,
  },
  takes: [1, mostInSet],
  run: (values, names) =>
    proxyTcp.run(
      values,
      names.map((name) => `kube_cluster/${name}`),
      [],
    ),
})
