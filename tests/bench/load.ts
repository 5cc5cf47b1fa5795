/** The load loop, and what one stretch of it says. */
import type { Running, Stretch, Unit } from './contender.ts'
import { Connection } from './http.ts'
import { percentile } from './statistics.ts'

/** Times in ms. CPU is that of a unit: of the server's process, and of this one. */
export type Figures = { perSecond: number; p50: number; p99: number; serverCpu: number; loadCpu: number }

/** Each client begins again as soon as it is done, until there is enough; the last ones are let finish and count. */
export async function load<E>({ server, port }: Running<E>, { clients, enough }: Stretch): Promise<Figures> {
  // Anew each time: a server closes connections that were idle while another was measured.
  const connections = await Promise.all(clients.map(() => Connection.open(port)))
  const latencies: number[] = []
  let begun = 0
  const [serverCpu, loadCpu, start] = [server.cpu(), process.cpuUsage(), performance.now()]
  await Promise.all(
    clients.map(async (client, index) => {
      const connection = connections[index]
      while (connection && !enough(begun, performance.now() - start)) {
        begun += 1
        const began = performance.now()
        await client(connection)
        latencies.push(performance.now() - began)
      }
    }),
  )
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(loadCpu)
  for (const connection of connections) connection.close()
  return figuresOf(latencies, { ms, serverCpu: server.cpu() - serverCpu, loadCpu: (user + system) / 1000 })
}

type Spent = { ms: number; serverCpu: number; loadCpu: number }

function figuresOf(latencies: readonly number[], { ms, serverCpu, loadCpu }: Spent): Figures {
  const sorted = latencies.toSorted((a, b) => a - b)
  const rounded = (value: number) => Number(value.toPrecision(4))
  return {
    perSecond: rounded((sorted.length * 1000) / ms),
    p50: rounded(percentile(sorted, 0.5)),
    p99: rounded(percentile(sorted, 0.99)),
    serverCpu: rounded(serverCpu / sorted.length),
    loadCpu: rounded(loadCpu / sorted.length),
  }
}

/** The figures as they are printed. */
export const named = ({ one, many }: Unit, figures: Figures): Record<string, number> => ({
  [`${many}_per_second`]: figures.perSecond,
  p50_ms: figures.p50,
  p99_ms: figures.p99,
  [`server_cpu_ms_per_${one}`]: figures.serverCpu,
  [`load_cpu_ms_per_${one}`]: figures.loadCpu,
})
