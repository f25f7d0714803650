// Speaks to a local chain with the library that wallets use. Prints one JSON object.
//
//   node main.mjs account <rpc> <address>
//   node main.mjs decode <rpc> <address> <interface description> <account's name>
//   node main.mjs transfer <rpc> <websocket> <keypair file> <mint> <destination wallet> <base units>
//
// `account` reads any account: { exists, lamports, owner, dataHex }.
// `decode` reads an account of the program by its codama description: { owner, fields }; integers of 64 bits and more
// as text, bytes in hex.
// `transfer` opens the destination's token account where needed, sends a checked transfer and waits for its
// confirmation over the websocket: { signature, destination, destinationAmount }.

import { readFile } from "node:fs/promises";
import {
  address,
  appendTransactionMessageInstructions,
  assertAccountExists,
  assertIsTransactionWithBlockhashLifetime,
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  decodeAccount,
  Endian,
  fetchEncodedAccount,
  fixDecoderSize,
  getAddressDecoder,
  getArrayDecoder,
  getBase16Decoder,
  getI64Decoder,
  getSignatureFromTransaction,
  getStructDecoder,
  getU128Decoder,
  getU16Decoder,
  getU32Decoder,
  getU64Decoder,
  getU8Decoder,
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

// The library's decoder of what a codama type node describes: those kinds that an account of fixed size can have.
function decoderOf(node, definedTypes) {
  const inner = (type) => decoderOf(type, definedTypes);
  switch (node.kind) {
    case "structTypeNode":
      return getStructDecoder(node.fields.map((field) => [field.name, inner(field.type)]));
    case "definedTypeLinkNode":
      return inner(definedTypes.find((type) => type.name === node.name).type);
    case "arrayTypeNode":
      return getArrayDecoder(inner(node.item), { size: node.count.value });
    case "fixedSizeTypeNode":
      return fixDecoderSize(inner(node.type), node.size);
    case "bytesTypeNode":
      return getBase16Decoder();
    case "publicKeyTypeNode":
      return getAddressDecoder();
    case "numberTypeNode":
      return numbers[node.format]({ endian: node.endian === "le" ? Endian.Little : Endian.Big });
    default:
      throw new Error(`no decoder for ${node.kind}`);
  }
}

const numbers = {
  u8: getU8Decoder,
  u16: getU16Decoder,
  u32: getU32Decoder,
  u64: getU64Decoder,
  u128: getU128Decoder,
  i64: getI64Decoder,
};

async function decode(rpcUrl, text, descriptionFile, name) {
  const root = JSON.parse(await readFile(descriptionFile, "utf8"));
  const node = root.program.accounts.find((account) => account.name === name);
  if (node === undefined) {
    throw new Error(`${descriptionFile} describes no ${name}`);
  }
  const found = await fetchEncodedAccount(createSolanaRpc(rpcUrl), address(text));
  assertAccountExists(found);
  if (found.data.length !== node.size) {
    throw new Error(`a ${name} has ${node.size} bytes, this account ${found.data.length}`);
  }
  const { data, programAddress } = decodeAccount(found, decoderOf(node.data, root.program.definedTypes));
  return { owner: programAddress, fields: data };
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
const commands = { account: [account, 2], decode: [decode, 4], transfer: [transfer, 6] };
const [run, count] = commands[command] ?? [];
if (run === undefined || args.length !== count) {
  console.error("usage: main.mjs account <rpc> <address>");
  console.error("       main.mjs decode <rpc> <address> <interface description> <account's name>");
  console.error("       main.mjs transfer <rpc> <websocket> <keypair file> <mint> <wallet> <base units>");
  process.exit(2);
}
const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value);
console.log(JSON.stringify(await run(...args), plain));
process.exit(0);
