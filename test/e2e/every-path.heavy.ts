// Each flow along every path that visits no place twice, over HTTP: npm run test:paths
import { everyPath } from "./paths/every-path.ts";

everyPath("simple");
