import { setTimeout as sleep } from "node:timers/promises";
import smpp, { type PDU, type Session } from "smpp";
import { type Log, ProviderError } from "./sms.ts";

export type SmppTiming = typeof TIMING;

const TIMING = {
  /** How long the SMSC may take to answer. It leaves time to try another provider. */
  answerMs: 5_000,
  keepAliveMs: 30_000,
  firstRetryMs: 500,
  lastRetryMs: 30_000,
};

/** Version 3.4 of the protocol, which every SMSC supports. */
const VERSION = 0x34;

/** Statuses that refuse a bind until somebody changes a setting, here or at the provider. */
const REFUSED = ["ESME_RINVSYSID", "ESME_RINVPASWD", "ESME_RBINDFAIL", "ESME_RALYBND"];

type Link = {
  url: string;
  log: Log;
  /** Called with each deliver_sm, after it was acknowledged. */
  onDeliver(pdu: PDU): void;
};

/**
 * A connection to an SMSC, bound as a transceiver. It is checked every half minute, and reopened
 * for ever when it is lost. `request` throws a ProviderError at once while there is no connection.
 * `close` unbinds.
 */
export function smppLink({ url, log, onDeliver }: Link, timing: SmppTiming = TIMING) {
  const ending = new AbortController();
  let bound: Session | undefined;

  async function keep() {
    let retryMs = timing.firstRetryMs;
    while (!ending.signal.aborted) {
      const { session, ended } = open(url, onDeliver);
      const giveUp = () => session.destroy();
      ending.signal.addEventListener("abort", giveUp);
      try {
        await bind(session);
        ending.signal.removeEventListener("abort", giveUp);
        bound = session;
        retryMs = timing.firstRetryMs;
        log.info({ provider: "smpp" }, "bound to the SMSC");
        await watch(session, ended);
      } catch (error) {
        const { code } = error as ProviderError;
        const advice = REFUSED.includes(code) ? "; check SMPP_URL and how often it may bind" : "";
        if (!ending.signal.aborted)
          log.warn({ provider: "smpp", code }, `no connection to the SMSC${advice}`);
      }
      bound = undefined;
      session.destroy();
      await sleep(retryMs, undefined, { signal: ending.signal }).catch(() => {});
      retryMs = Math.min(retryMs * 2, timing.lastRetryMs);
    }
  }

  async function bind(session: Session) {
    const { username, password } = new URL(url);
    const answer = await ask(session, "bind_transceiver", {
      system_id: decodeURIComponent(username),
      password: decodeURIComponent(password),
      interface_version: VERSION,
    });
    if (answer.command_status !== 0) throw new ProviderError("smpp", statusName(answer));
  }

  /** Runs until the connection is lost (then throws) or `close` is called. */
  async function watch(session: Session, ended: Promise<ProviderError>) {
    const closing = new Promise<undefined>((resolve) => {
      ending.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    while (!ending.signal.aborted) {
      const pause = new AbortController();
      const quiet = sleep(timing.keepAliveMs, undefined, { signal: pause.signal }).catch(() => {});
      const error = await Promise.race([ended, closing, quiet]);
      pause.abort();
      if (error) throw error;
      if (!ending.signal.aborted) await ask(session, "enquire_link");
    }
    await ask(session, "unbind").catch(() => {});
  }

  function ask(session: Session, command: string, fields: object = {}): Promise<PDU> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => finish("timeout"), timing.answerMs);
      const lost = (code: string) => finish(code);
      const finish = (result: string | PDU) => {
        clearTimeout(late);
        session.off("lost", lost);
        if (typeof result === "string") reject(new ProviderError("smpp", result));
        else resolve(result);
      };
      session.on("lost", lost);
      if (!session.send(new smpp.PDU(command, fields), finish)) finish("not_bound");
    });
  }

  const kept = keep();
  return {
    /** Resolves with the answer, whatever its status is. */
    async request(command: string, fields: object): Promise<PDU> {
      if (!bound || ending.signal.aborted) throw new ProviderError("smpp", "not_bound");
      return ask(bound, command, fields);
    },
    async close() {
      ending.abort();
      await kept;
    },
  };
}

/**
 * Opens a connection. When it ends, `lost` is emitted with a code, and `ended` resolves with that
 * error.
 */
function open(url: string, onDeliver: (pdu: PDU) => void) {
  const { protocol, hostname, port } = new URL(url);
  const tls = protocol === "smpps:";
  const session = smpp.connect({ host: hostname, port: Number(port) || (tls ? 3550 : 2775), tls });
  const ended = new Promise<ProviderError>((resolve) => {
    session.once("lost", (code: string) => resolve(new ProviderError("smpp", code)));
  });
  // Each waiting request adds a listener.
  session.setMaxListeners(0);
  let code = "connection_closed";
  session.on("error", (error: NodeJS.ErrnoException) => {
    code = error.code ?? "broken_pdu";
    session.destroy();
  });
  session.once("close", () => session.emit("lost", code));
  const answer = (pdu: PDU) => session.send(pdu.response());
  session.on("enquire_link", answer);
  session.on("unknown", answer);
  session.on("unbind", (pdu: PDU) => {
    answer(pdu);
    code = "unbound";
    session.close();
  });
  session.on("deliver_sm", (pdu: PDU) => {
    answer(pdu);
    onDeliver(pdu);
  });
  return { session, ended };
}

/** The name of an answer's status, such as `ESME_RTHROTTLED`. */
export function statusName({ command_status }: PDU): string {
  const known = Object.entries(smpp.errors).find(([, status]) => status === command_status);
  return known?.[0] ?? `0x${command_status.toString(16)}`;
}
