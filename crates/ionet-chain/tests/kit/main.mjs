// Speaks to a local chain with the library that wallets use. Prints one JSON object.
//
//   node main.mjs account <rpc> <address>
//   node main.mjs transfer <rpc> <websocket> <keypair file> <mint> <destination wallet> <base units>
//
// `account` reads any account: { exists, lamports, owner, dataHex }.
// `transfer` opens the destination's token account where needed, sends a checked transfer and waits for its
// confirmation over the websocket: { signature, destination, destinationAmount }.

import { readFile } from "node:fs/promises";
import {
  address,
  appendTransactionMessageInstructions,
  assertIsTransactionWithBlockhashLifetime,
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  fetchEncodedAccount,
  getSignatureFromTransaction,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from "@solana/kit";
import {
  TOKEN_PROGRAM_ADDRESS,
  fetchMint,
  fetchToken,
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  getTransferCheckedInstruction,
} from "@solana-program/token";

async function account(rpcUrl, text) {
  const found = await fetchEncodedAccount(createSolanaRpc(rpcUrl), address(text));
  if (!found.exists) {
    return { exists: false };
  }
  return {
    exists: true,
    lamports: found.lamports.toString(),
    owner: found.programAddress,
    dataHex: Buffer.from(found.data).toString("hex"),
  };
}

async function transfer(rpcUrl, websocketUrl, keypairFile, mintText, walletText, amountText) {
  const rpc = createSolanaRpc(rpcUrl);
  const rpcSubscriptions = createSolanaRpcSubscriptions(websocketUrl);
  const secret = JSON.parse(await readFile(keypairFile, "utf8"));
  const payer = await createKeyPairSignerFromBytes(new Uint8Array(secret));
  const mint = address(mintText);
  const wallet = address(walletText);
  const decimals = (await fetchMint(rpc, mint)).data.decimals;
  const associated = async (owner) =>
    (await findAssociatedTokenPda({ owner, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS }))[0];
  const source = await associated(payer.address);
  const destination = await associated(wallet);
  const { value: blockhash } = await rpc.getLatestBlockhash().send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (draft) => setTransactionMessageFeePayerSigner(payer, draft),
    (draft) => setTransactionMessageLifetimeUsingBlockhash(blockhash, draft),
    (draft) =>
      appendTransactionMessageInstructions(
        [
          getCreateAssociatedTokenIdempotentInstruction({ payer, ata: destination, owner: wallet, mint }),
          getTransferCheckedInstruction({
            source,
            mint,
            destination,
            authority: payer,
            amount: BigInt(amountText),
            decimals,
          }),
        ],
        draft,
      ),
  );
  const transaction = await signTransactionMessageWithSigners(message);
  assertIsTransactionWithBlockhashLifetime(transaction);
  const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
  await sendAndConfirm(transaction, { commitment: "confirmed" });
  const held = await fetchToken(rpc, destination);
  return {
    signature: getSignatureFromTransaction(transaction),
    destination,
    destinationAmount: held.data.amount.toString(),
  };
}

const [command, ...args] = process.argv.slice(2);
const commands = { account: [account, 2], transfer: [transfer, 6] };
const [run, count] = commands[command] ?? [];
if (run === undefined || args.length !== count) {
  console.error("usage: main.mjs account <rpc> <address>");
  console.error("       main.mjs transfer <rpc> <websocket> <keypair file> <mint> <wallet> <base units>");
  process.exit(2);
}
console.log(JSON.stringify(await run(...args)));
process.exit(0);
