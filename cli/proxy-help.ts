/** What the help of several local proxies says alike. */
export const optionsOfKube = `  --kube-user=USER    of a kube_cluster: as whom
  --kube-group=GROUP  of a kube_cluster: in which group; may be given several times
`

export const optionsOfAll = `  --impersonate=USER  with the rights of this user, where a role of yours lets you act as him
  --port=N            the port, for programs that keep it: any that is free where not given;
                      of several the first, and the next ones follow
  --count=N           how often one tap opens each: once where not given
  --no-browser        do not open a browser, only show the address of the page
`
