/** What a listener does with each connection: which first bytes it takes, and whose they are. */
import type { RouteTable } from '../core/route/table.ts'
import type { Connection } from './connection.ts'
import { dispatch, type Taking } from './dispatch.ts'
import { HelloStage, refusedWires, Sniffing } from './first-bytes.ts'
import { peek } from './peek.ts'

export interface FrontNeeds {
  /** As it is now: a connection keeps the rule that it got. */
  readonly table: () => RouteTable<Taking>
}

export function makeFront({ table }: FrontNeeds): (connection: Connection) => void {
  const hello = () => new HelloStage((connection, read) => dispatch(table(), connection, read))
  const wires = { ...refusedWires, tls: hello }
  return (connection) => peek(connection, new Sniffing(wires))
}
