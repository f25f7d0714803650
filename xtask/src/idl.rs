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
    PublicKeyTypeNode, PublicKeyValueNode, RootNode, SizeDiscriminatorNode, StringTypeNode, StringValueNode, StructFieldTypeNode,
    StructTypeNode, TypeNode, ValueNode, VariablePdaSeedNode,
};
use ionet_abi::accounts::{BookingAccount, NetworkAccount, OracleAccount, ProgramAccount, VERSION, VaultKind};
use ionet_abi::events::{EVENT_TAG, RecordHeader, RecordKind, record_layout};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::{AccountUse, Tag, account_uses, argument_layout};
use ionet_abi::{SYSTEM_PROGRAM, TOKEN_PROGRAM, seeds};
use ionet_rules::RuleError;
use ionet_rules::booking::Booking;
use ionet_rules::layout::{Field, Shape, Struct, StructLayout};
use ionet_rules::oracle::Submission;
use ionet_rules::params::Params;

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
    program.accounts = vec![account::<NetworkAccount>("network"), account::<OracleAccount>("oracle"), account::<BookingAccount>("booking")];
    program.instructions = Tag::ALL.into_iter().map(instruction).collect();
    let nested = [Params::STRUCT, Submission::STRUCT, Booking::STRUCT, RecordHeader::STRUCT];
    let records = RecordKind::ALL.map(record_layout);
    program.defined_types = nested.iter().chain(&records).map(|layout| defined_type(layout)).collect();
    program.pdas = vec![
        pda("network", seeds::NETWORK, None),
        pda("oracle", seeds::ORACLE, None),
        pda("booking", seeds::BOOKING, Some(("clusterId", bytes(16)))),
        pda("vault", seeds::VAULT, Some(("kind", NumberTypeNode::le(NumberFormat::U8).into()))),
    ];
    program.events = RecordKind::ALL.into_iter().map(event).collect();
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
        arguments: std::iter::once(first).chain(layout.fields.iter().map(argument)).collect(),
        discriminators: vec![FieldDiscriminatorNode::new("tag", 0).into()],
        ..InstructionNode::default()
    }
}

fn instruction_account(tag: Tag, account_use: &AccountUse) -> InstructionAccountNode {
    let mut node = InstructionAccountNode::new(account_use.name, account_use.writable, account_use.signer);
    node.docs = docs(account_use.doc);
    let vault = VaultKind::ALL.into_iter().find(|kind| kind.name() == account_use.name);
    let default: Option<InstructionInputValueNode> = match (account_use.name, vault) {
        ("token_program", _) => Some(PublicKeyValueNode::new(address(&TOKEN_PROGRAM)).into()),
        ("system_program", _) => Some(PublicKeyValueNode::new(address(&SYSTEM_PROGRAM)).into()),
        ("program", _) => Some(ProgramIdValueNode::new().into()),
        (name @ ("network" | "oracle"), _) => Some(PdaValueNode::new(PdaLinkNode::new(name), vec![]).into()),
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

/// An event is the data of the program's call to itself: the tag, the header, the body.
fn event(kind: RecordKind) -> EventNode {
    let body = record_layout(kind);
    let tag = fixed(struct_field(&Field { name: "event_tag", doc: "Marks an event record.", shape: &Shape::U8 }), u64::from(EVENT_TAG));
    let header = StructFieldTypeNode::new("header", DefinedTypeLinkNode::new(RecordHeader::STRUCT.name));
    let body_field = StructFieldTypeNode::new("body", DefinedTypeLinkNode::new(body.name));
    let mut node = EventNode::new(kind.name(), StructTypeNode::new(vec![tag, header, body_field]));
    node.docs = docs(body.doc);
    let kind_at = 1 + std::mem::offset_of!(RecordHeader, kind) as u64;
    node.discriminators = [(0, EVENT_TAG), (kind_at, kind as u8)]
        .into_iter()
        .map(|(offset, value)| {
            let constant = ConstantValueNode::new(NumberTypeNode::le(NumberFormat::U8), NumberValueNode::new(u64::from(value)));
            ConstantDiscriminatorNode::new(constant, offset).into()
        })
        .collect();
    node
}

fn pda(name: &str, prefix: &[u8], id: Option<(&str, TypeNode)>) -> PdaNode {
    let prefix = StringValueNode::new(String::from_utf8_lossy(prefix));
    let mut parts: Vec<PdaSeedNode> = vec![ConstantPdaSeedNode::new(StringTypeNode::utf8(), ValueNode::from(prefix)).into()];
    parts.extend(id.map(|(name, kind)| PdaSeedNode::from(VariablePdaSeedNode::new(name, kind))));
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
    }
}
