import Bowser from "bowser";

/** The common names, where the parser's are longer. */
const SHORTER: Record<string, string> = {
  "Microsoft Edge": "Edge",
  "Samsung Internet for Android": "Samsung Internet",
};

/** The parser answers "Generic" when it takes the name from the text itself. */
const BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP).filter((name) => name !== "Generic"));
const SYSTEMS = new Set(Object.values(Bowser.OS_MAP));

/** Programs that are not browsers, as they name themselves at the start. */
const PROGRAM =
  /^(curl|Wget|HTTPie|python-requests|python-httpx|Go-http-client|okhttp|PostmanRuntime|axios|keystoneauth1|gophercloud|second-step-cli)\/v?(\d{1,4})/;

/**
 * The common name of a browser or program, from its User-Agent: "Chrome 150 on Windows". Undefined
 * if it is not known. Only names from a list and a number are returned, never the sender's own
 * words.
 */
export function knownBrowser(userAgent: string | null): string | undefined {
  if (!userAgent) return undefined;
  const [, program, programVersion] = PROGRAM.exec(userAgent) ?? [];
  if (program) return `${program} ${programVersion}`;
  const { browser, os } = Bowser.parse(userAgent);
  if (!browser.name || !BROWSERS.has(browser.name)) return undefined;
  // Without a version the text only claims the name, as any text could.
  const version = /^\d{1,4}(?=\.|$)/.exec(browser.version ?? "")?.[0];
  if (!version) return undefined;
  const name = SHORTER[browser.name] ?? browser.name;
  return [`${name} ${version}`, os.name && SYSTEMS.has(os.name) ? os.name : undefined]
    .filter(Boolean)
    .join(" on ");
}
