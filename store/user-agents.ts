import Bowser from "bowser";

/** What people call them, where the parser says more. */
const SHORTER: Record<string, string> = {
  "Microsoft Edge": "Edge",
  "Samsung Internet for Android": "Samsung Internet",
};

/** "Generic" is what the parser says when it takes the name from the text itself. */
const BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP).filter((name) => name !== "Generic"));
const SYSTEMS = new Set(Object.values(Bowser.OS_MAP));

/** Programs that are no browsers, as they name themselves at the beginning. */
const PROGRAM =
  /^(curl|Wget|HTTPie|python-requests|python-httpx|Go-http-client|okhttp|PostmanRuntime|axios|keystoneauth1|gophercloud|second-step-cli)\/v?(\d{1,4})/;

/**
 * A browser's or program's User-Agent as people call it: "Chrome 150 on Windows". Undefined for what
 * nobody knows. Only names of a list and a number get through, never the sender's own words.
 */
export function knownBrowser(userAgent: string | null): string | undefined {
  if (!userAgent) return undefined;
  const [, program, programVersion] = PROGRAM.exec(userAgent) ?? [];
  if (program) return `${program} ${programVersion}`;
  const { browser, os } = Bowser.parse(userAgent);
  if (!browser.name || !BROWSERS.has(browser.name)) return undefined;
  // Without a version it only claims the name, as free text may.
  const version = /^\d{1,4}(?=\.|$)/.exec(browser.version ?? "")?.[0];
  if (!version) return undefined;
  const name = SHORTER[browser.name] ?? browser.name;
  return [`${name} ${version}`, os.name && SYSTEMS.has(os.name) ? os.name : undefined]
    .filter(Boolean)
    .join(" on ");
}
