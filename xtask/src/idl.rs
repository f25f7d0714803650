//! `cargo xtask idl`: the interface description of the on-chain program (codama format), from the very tables and structs that program and
//! clients are compiled from. Explorers and client generators read it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use codama_nodes::{
    AccountNode, ArgumentValueNode, ArrayTypeNode, BytesTypeNode, BytesValueNode, ConstantDiscriminatorNode, ConstantPdaSeedNode,
    ConstantValueNode, DefaultValueStrategy, DefinedTypeLinkNode, DefinedTypeNode, Docs, ErrorNode, EventNode, FieldDiscriminatorNode,
    FixedSizeTypeNode, InstructionAccountNode, InstructionArgumentNode, InstructionInputValueNode, InstructionNode, NumberFormat,
    NumberTypeNode, NumberValueNode, PdaLinkNode, PdaNode, PdaSeedNode, PdaSeedValueNode, PdaValueNode, ProgramIdValueNode, ProgramNode,
    PublicKeyTypeNode, PublicKeyValueNode, RemainderCountNode, RootNode, SizeDiscriminatorNode, StringTypeNode, StringValueNode,
    StructFieldTypeNode, StructTypeNode, TypeNode, ValueNode, VariablePdaSeedNode,
};
use ionet_abi::accounts::{
    BookingAccount, CaseAccount, ClaimAccount, DeviceAccount, EpochsAccount, MultipliersAccount, NetworkAccount, OracleAccount,
    ProgramAccount, SupplyAccount, VERSION, VaultKind, VerifiersAccount,
};
use ionet_abi::events::supply::{SUPPLY_EVENT_TAG, SupplyHeader, SupplyKind};
use ionet_abi::events::{EVENT_TAG, RecordHeader, RecordKind, record_layout};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::{AccountUse, Tag, account_uses, argument_layout};
use ionet_abi::merkle::Hash;
use ionet_abi::{SYSTEM_PROGRAM, TOKEN_PROGRAM, seeds};
use ionet_rules::RuleError;
use ionet_rules::booking::Booking;
use ionet_rules::epochs::{Breaker, Epochs, Statement, Verifier};
use ionet_rules::layout::{Field, Shape, Struct, StructLayout};
use ionet_rules::multipliers::Multiplier;
use ionet_rules::oracle::Submission;
use ionet_rules::params::Params;
use ionet_rules::slash::{Case, SlashParts};
use ionet_rules::stake::Stake;
use ionet_rules::supply::SupplyParams;

use crate::shell;

/// Options of `cargo xtask idl`.
#[derive(Args)]
pub(crate) struct IdlOptions {
    /// Compare instead of writing; a difference is an error.
    #[arg(long)]
    check: bool,
}

/// Writes the committed description, or compares it.
pub(crate) fn run(options: &IdlOptions) -> anyhow::Result<()> {
    let current = render()?;
    if options.check {
        return compare(&current);
    }
    fs::write(path(), current).with_context(|| format!("cannot write {}", path().display()))
}

fn compare(current: &str) -> anyhow::Result<()> {
    let committed = fs::read_to_string(path()).with_context(|| format!("no {}", path().display()))?;
    ensure!(committed == current, "{} is not what the sources say: run `cargo xtask idl`", path().display());
    Ok(())
}

fn path() -> PathBuf {
    shell::root().join("program/idl/ionet.json")
}

fn render() -> anyhow::Result<String> {
    let mut text = serde_json::to_string_pretty(&RootNode::from(program()))?;
    text.push('\n');
    Ok(text)
}

fn program() -> ProgramNode {
    // Every network deploys the program at an address of its own; this placeholder is to be replaced by the network's.
    let mut program = ProgramNode::new("ionet", address(&SYSTEM_PROGRAM)).set_version(env!("CARGO_PKG_VERSION"));
    program.docs =
        docs("The on-chain program of the compute network. Each network has a program id of its own: give it wherever one is asked for.");
    program.accounts = vec![
        account::<NetworkAccount>("network"),
        account::<OracleAccount>("oracle"),
        account::<BookingAccount>("booking"),
        account::<SupplyAccount>("supply"),
        account::<EpochsAccount>("epochs"),
        account::<VerifiersAccount>("verifiers"),
        account::<MultipliersAccount>("multipliers"),
        account::<DeviceAccount>("device"),
        account::<ClaimAccount>("claim"),
        account::<CaseAccount>("case"),
    ];
    program.instructions = Tag::ALL.into_iter().map(instruction).collect();
    let nested = [Params::STRUCT, Submission::STRUCT, Booking::STRUCT, RecordHeader::STRUCT];
    let supply_nested = [
        SupplyParams::STRUCT,
        Statement::STRUCT,
        Verifier::STRUCT,
        Breaker::STRUCT,
        Epochs::STRUCT,
        Multiplier::STRUCT,
        Stake::STRUCT,
        SlashParts::STRUCT,
        Case::STRUCT,
        SupplyHeader::STRUCT,
    ];
    let records = RecordKind::ALL.map(record_layout);
    let supply_records = SupplyKind::ALL.iter().map(|kind| kind.layout());
    let types = nested.into_iter().chain(records).chain(supply_nested).chain(supply_records);
    program.defined_types = types.map(defined_type).collect();
    let device = || ("device", PublicKeyTypeNode::new().into());
    program.pdas = vec![
        pda("network", seeds::NETWORK, vec![]),
        pda("oracle", seeds::ORACLE, vec![]),
        pda("booking", seeds::BOOKING, vec![("clusterId", bytes(16))]),
        pda("vault", seeds::VAULT, vec![("kind", NumberTypeNode::le(NumberFormat::U8).into())]),
        pda("supply", seeds::SUPPLY, vec![]),
        pda("epochs", seeds::EPOCHS, vec![]),
        pda("verifiers", seeds::VERIFIERS, vec![]),
        pda("multipliers", seeds::MULTIPLIERS, vec![]),
        pda("ioRewards", seeds::IO_REWARDS, vec![]),
        pda("ioStake", seeds::IO_STAKE, vec![]),
        pda("device", seeds::DEVICE, vec![device()]),
        pda("claim", seeds::CLAIM, vec![device()]),
        pda("coClaim", seeds::CLAIM, vec![device(), ("coStaker", PublicKeyTypeNode::new().into())]),
        pda("case", seeds::CASE, vec![("caseId", bytes(16))]),
    ];
    let bookings = RecordKind::ALL.into_iter().map(|kind| Written {
        name: kind.name(),
        body: record_layout(kind),
        header: RecordHeader::STRUCT,
        tag: EVENT_TAG,
        kind: kind as u8,
        kind_at: std::mem::offset_of!(RecordHeader, kind),
    });
    let supply = SupplyKind::ALL.iter().map(|kind| Written {
        name: kind.name(),
        body: kind.layout(),
        header: SupplyHeader::STRUCT,
        tag: SUPPLY_EVENT_TAG,
        kind: *kind as u8,
        kind_at: std::mem::offset_of!(SupplyHeader, kind),
    });
    program.events = bookings.chain(supply).map(|written| event(&written)).collect();
    let faults = Fault::ALL.iter().map(|fault| ErrorNode::new(fault.code(), *fault as u32, fault.sentence()));
    let rules = RuleError::ALL.iter().map(|error| ErrorNode::new(error.code(), *error as u32, error.sentence()));
    program.errors = faults.chain(rules).collect();
    program
}

fn account<T: ProgramAccount>(pda: &str) -> AccountNode {
    let layout = T::STRUCT;
    let fields = layout
        .fields
        .iter()
        .map(|field| match field.name {
            "tag" => fixed(struct_field(field), u64::from(T::TAG as u8)),
            "version" => fixed(struct_field(field), u64::from(VERSION)),
            _ => struct_field(field),
        })
        .collect();
    let mut node = AccountNode::new(layout.name, StructTypeNode::new(fields));
    node.docs = docs(layout.doc);
    node.size = Some(T::SIZE as u64);
    node.pda = Some(PdaLinkNode::new(pda));
    node.discriminators = vec![FieldDiscriminatorNode::new("tag", 0).into(), SizeDiscriminatorNode::new(T::SIZE as u64).into()];
    node
}

fn instruction(tag: Tag) -> InstructionNode {
    let layout = argument_layout(tag);
    let mut first = argument(&Field { name: "tag", doc: "Which instruction.", shape: &Shape::U8 });
    first.default_value = Box::new(Some(NumberValueNode::new(u64::from(tag as u8)).into()));
    first.default_value_strategy = Some(DefaultValueStrategy::Omitted);
    InstructionNode {
        name: snake_case(&format!("{tag:?}")).into(),
        docs: docs(layout.doc),
        accounts: account_uses(tag).iter().map(|account_use| instruction_account(tag, account_use)).collect(),
        arguments: std::iter::once(first).chain(layout.fields.iter().map(argument)).chain(proof(tag)).collect(),
        discriminators: vec![FieldDiscriminatorNode::new("tag", 0).into()],
        ..InstructionNode::default()
    }
}

/// What follows the arguments: a claim's proof, as many hashes as there are.
fn proof(tag: Tag) -> Option<InstructionArgumentNode> {
    let hashes = ArrayTypeNode::new(bytes(size_of::<Hash>()), RemainderCountNode::new());
    (tag == Tag::Claim).then(|| {
        let mut node = InstructionArgumentNode::new("proof", hashes);
        node.docs = docs("The proof: hashes from the leaf's neighbour up, at most 32.");
        node
    })
}

fn instruction_account(tag: Tag, account_use: &AccountUse) -> InstructionAccountNode {
    let mut node = InstructionAccountNode::new(account_use.name, account_use.writable, account_use.signer);
    node.docs = docs(account_use.doc);
    let vault = VaultKind::ALL.into_iter().find(|kind| kind.name() == account_use.name);
    let default: Option<InstructionInputValueNode> = match (account_use.name, vault) {
        ("token_program", _) => Some(PublicKeyValueNode::new(address(&TOKEN_PROGRAM)).into()),
        ("system_program", _) => Some(PublicKeyValueNode::new(address(&SYSTEM_PROGRAM)).into()),
        ("program", _) => Some(ProgramIdValueNode::new().into()),
        (name @ ("network" | "oracle" | "supply" | "epochs" | "verifiers" | "multipliers"), _) => {
            Some(PdaValueNode::new(PdaLinkNode::new(name), vec![]).into())
        }
        ("io_rewards", _) => Some(PdaValueNode::new(PdaLinkNode::new("ioRewards"), vec![]).into()),
        ("io_stake", _) => Some(PdaValueNode::new(PdaLinkNode::new("ioStake"), vec![]).into()),
        (name @ ("device" | "claim"), _) if tag == Tag::RegisterDevice => {
            let seed = PdaSeedValueNode::new("device", ArgumentValueNode::new("device"));
            Some(PdaValueNode::new(PdaLinkNode::new(name), vec![seed]).into())
        }
        ("case", _) if tag == Tag::OpenCase => {
            let seed = PdaSeedValueNode::new("caseId", ArgumentValueNode::new("caseId"));
            Some(PdaValueNode::new(PdaLinkNode::new("case"), vec![seed]).into())
        }
        // The other instructions do not say the cluster's id: there the address must be given.
        ("booking", _) if tag == Tag::BookProduct => {
            let seed = PdaSeedValueNode::new("clusterId", ArgumentValueNode::new("clusterId"));
            Some(PdaValueNode::new(PdaLinkNode::new("booking"), vec![seed]).into())
        }
        (_, Some(kind)) => {
            let seed = PdaSeedValueNode::new("kind", ValueNode::from(NumberValueNode::new(u64::from(kind as u8))));
            Some(PdaValueNode::new(PdaLinkNode::new("vault"), vec![seed]).into())
        }
        _ => None,
    };
    node.default_value = Box::new(default);
    node
}

fn argument(field: &Field) -> InstructionArgumentNode {
    let StructFieldTypeNode { name, default_value_strategy, docs, r#type, default_value, display, .. } = struct_field(field);
    InstructionArgumentNode {
        name,
        default_value_strategy,
        docs,
        r#type,
        default_value: Box::new((*default_value).map(|value| match value {
            ValueNode::Number(number) => number.into(),
            ValueNode::Bytes(bytes) => bytes.into(),
            other => unreachable!("only unused fields have a default, numbers or bytes: {other:?}"),
        })),
        display,
    }
}

fn defined_type(layout: &Struct) -> DefinedTypeNode {
    let mut node = DefinedTypeNode::new(layout.name, StructTypeNode::new(layout.fields.iter().map(struct_field).collect()));
    node.docs = docs(layout.doc);
    node
}

/// A kind of record.
struct Written {
    name: &'static str,
    body: &'static Struct,
    header: &'static Struct,
    /// First byte of the data.
    tag: u8,
    kind: u8,
    /// Where the kind stands in the header, bytes.
    kind_at: usize,
}

/// An event is the data of the program's call to itself: the tag, the header, the body.
fn event(written: &Written) -> EventNode {
    let Written { name, body, header, tag, kind, kind_at } = *written;
    let tag_field = fixed(struct_field(&Field { name: "event_tag", doc: "Marks an event record.", shape: &Shape::U8 }), u64::from(tag));
    let header = StructFieldTypeNode::new("header", DefinedTypeLinkNode::new(header.name));
    let body_field = StructFieldTypeNode::new("body", DefinedTypeLinkNode::new(body.name));
    let mut node = EventNode::new(name, StructTypeNode::new(vec![tag_field, header, body_field]));
    node.docs = docs(body.doc);
    node.discriminators = [(0, tag), (1 + kind_at as u64, kind)]
        .into_iter()
        .map(|(offset, value)| {
            let constant = ConstantValueNode::new(NumberTypeNode::le(NumberFormat::U8), NumberValueNode::new(u64::from(value)));
            ConstantDiscriminatorNode::new(constant, offset).into()
        })
        .collect();
    node
}

fn pda(name: &str, prefix: &[u8], ids: Vec<(&str, TypeNode)>) -> PdaNode {
    let prefix = StringValueNode::new(String::from_utf8_lossy(prefix));
    let mut parts: Vec<PdaSeedNode> = vec![ConstantPdaSeedNode::new(StringTypeNode::utf8(), ValueNode::from(prefix)).into()];
    parts.extend(ids.into_iter().map(|(name, kind)| PdaSeedNode::from(VariablePdaSeedNode::new(name, kind))));
    PdaNode::new(name, parts)
}

fn struct_field(field: &Field) -> StructFieldTypeNode {
    let mut node = StructFieldTypeNode::new(field.name, type_of(field.shape));
    node.docs = docs(field.doc);
    if field.name == "reserved" {
        let zero: Option<ValueNode> = match field.shape {
            Shape::Array(Shape::U8, count) => Some(BytesValueNode::base16("00".repeat(*count)).into()),
            Shape::Array(..) | Shape::Struct(_) => None,
            _ => Some(NumberValueNode::new(0_u64).into()),
        };
        node.default_value_strategy = zero.is_some().then_some(DefaultValueStrategy::Omitted);
        node.default_value = Box::new(zero);
    }
    node
}

/// A field that always has the same value.
fn fixed(mut field: StructFieldTypeNode, value: u64) -> StructFieldTypeNode {
    field.default_value = Box::new(Some(NumberValueNode::new(value).into()));
    field.default_value_strategy = Some(DefaultValueStrategy::Omitted);
    field
}

fn type_of(shape: &Shape) -> TypeNode {
    const ADDRESS_BYTES: usize = 32;
    let number = |format| NumberTypeNode::le(format).into();
    match shape {
        Shape::U8 => number(NumberFormat::U8),
        Shape::U16 => number(NumberFormat::U16),
        Shape::U32 => number(NumberFormat::U32),
        Shape::U64 => number(NumberFormat::U64),
        Shape::I64 => number(NumberFormat::I64),
        Shape::Array(Shape::U8, ADDRESS_BYTES) => PublicKeyTypeNode::new().into(),
        Shape::Array(Shape::U8, count) => bytes(*count),
        Shape::Array(item, count) => ArrayTypeNode::fixed(type_of(item), *count as u64).into(),
        Shape::Struct(layout) => DefinedTypeLinkNode::new(layout.name).into(),
    }
}

fn bytes(count: usize) -> TypeNode {
    FixedSizeTypeNode::<TypeNode>::new(BytesTypeNode::new(), count).into()
}

fn address(bytes: &[u8; 32]) -> String {
    bs58::encode(bytes).into_string()
}

/// Rust documentation as plain text: links to items become their names.
fn docs(text: &str) -> Docs {
    let text = text.trim().replace("[`", "`").replace("`]", "`");
    let mut docs = Docs::new();
    if !text.is_empty() {
        docs.push(text);
    }
    docs
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (place, letter) in name.char_indices() {
        if letter.is_uppercase() && place > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_current() -> anyhow::Result<()> {
        compare(&render()?)
    }

    #[test]
    fn every_shape_is_as_long_as_its_struct() {
        fn length(shape: &Shape) -> usize {
            match shape {
                Shape::U8 => 1,
                Shape::U16 => 2,
                Shape::U32 => 4,
                Shape::U64 | Shape::I64 => 8,
                Shape::Array(item, count) => length(item) * count,
                Shape::Struct(layout) => layout.fields.iter().map(|field| length(field.shape)).sum(),
            }
        }
        assert_eq!(length(&Shape::Struct(NetworkAccount::STRUCT)), NetworkAccount::SIZE);
        assert_eq!(length(&Shape::Struct(OracleAccount::STRUCT)), OracleAccount::SIZE);
        assert_eq!(length(&Shape::Struct(BookingAccount::STRUCT)), BookingAccount::SIZE);
        assert_eq!(length(&Shape::Struct(SupplyAccount::STRUCT)), SupplyAccount::SIZE);
        assert_eq!(length(&Shape::Struct(EpochsAccount::STRUCT)), EpochsAccount::SIZE);
        assert_eq!(length(&Shape::Struct(VerifiersAccount::STRUCT)), VerifiersAccount::SIZE);
        assert_eq!(length(&Shape::Struct(MultipliersAccount::STRUCT)), MultipliersAccount::SIZE);
        assert_eq!(length(&Shape::Struct(DeviceAccount::STRUCT)), DeviceAccount::SIZE);
        assert_eq!(length(&Shape::Struct(ClaimAccount::STRUCT)), ClaimAccount::SIZE);
        assert_eq!(length(&Shape::Struct(CaseAccount::STRUCT)), CaseAccount::SIZE);
    }
}
