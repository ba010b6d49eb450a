import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { originOf } from "../api/origin.ts";
import { makeRecoveryCodes, type RecoveryCodes, recoveryCodesFile } from "../api/recovery-codes.ts";
import { quantitySchema } from "../api/schemas.ts";
import { devicesPage } from "./devices.tsx";
import { field, type PortalContext, type PortalEnv } from "./form.ts";
import { page, type Who, whoOf } from "./layout.tsx";
import { Notice } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { faultyFields } from "./words.ts";

/** New recovery codes, shown once. */
export function recoveryCodePages(app: Hono<PortalEnv>, deps: Deps) {
  app.post("/devices/recovery-codes", async (c) => {
    const session = await signedIn(c, deps);
    const { success, data: quantity } = quantitySchema.safeParse(Number(field(c, "quantity")));
    if (!success)
      return devicesPage(c, deps, session, faultyFields({ quantity: "Choose 1 to 10 codes." }));
    const origin = originOf(c, deps.config.TRUSTED_PROXIES);
    const made = await makeRecoveryCodes(deps, session, quantity, origin);
    c.set("onRepeat", "/devices");
    return codesPage(c, await whoOf(deps, session), made);
  });
}

function codesPage(c: PortalContext, who: Who, made: RecoveryCodes) {
  const text = recoveryCodesFile(c.get("service"), made);
  return page(
    c,
    { title: "Your recovery codes", who, narrow: true },
    <>
      <Notice>These codes are shown this once. The ones that you had before are void.</Notice>
      <section class="card">
        <h1>Your recovery codes</h1>
        <p>
          Each code logs you in once, in place of a passcode. Keep them where you keep your keys.
        </p>
        <ul class="codes secret" id="codes">
          {made.codes.map((code) => (
            <li>{code}</li>
          ))}
        </ul>
        <div class="actions">
          <a
            class="button"
            download="recovery-codes.txt"
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          >
            Save your codes
          </a>
          <button type="button" class="second" data-copy="codes" hidden>
            Copy
          </button>
          <button type="button" class="second" data-print hidden>
            Print
          </button>
          <span id="told" role="status" />
          <a href="/devices">Done</a>
        </div>
      </section>
    </>,
  );
}
