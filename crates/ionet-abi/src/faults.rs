//! Why the program refuses an instruction before any rule of the economy is asked: its accounts or its data are not what they must be.
//! Numbers below 100; the refusals of the rules (`ionet_rules::RuleError`) start at 100, so one number names one reason.

macro_rules! faults {
    ($($name:ident = $number:literal, $code:literal, $sentence:literal;)+) => {
        /// A malformed or unauthorised instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Fault {
            $(#[doc = $sentence] $name = $number,)+
        }

        impl Fault {
            /// Every fault, in the order of its number.
            pub const ALL: &'static [Fault] = &[$(Fault::$name),+];

            /// The stable machine-readable name, `snake_case`.
            pub const fn code(self) -> &'static str {
                match self { $(Fault::$name => $code,)+ }
            }

            /// One sentence for a person: what is wrong.
            pub const fn sentence(self) -> &'static str {
                match self { $(Fault::$name => $sentence,)+ }
            }

            /// The fault with this number, as read from a failed transaction.
            pub const fn from_number(number: u32) -> Option<Fault> {
                match number { $($number => Some(Fault::$name),)+ _ => None }
            }
        }
    };
}

faults! {
    UnknownInstruction = 1, "unknown_instruction", "the program has no such instruction";
    MalformedData = 2, "malformed_data", "the instruction's data has the wrong length or values";
    WrongAccountCount = 3, "wrong_account_count", "the instruction's account list has the wrong length";
    MissingSigner = 4, "missing_signer", "an account that must sign did not";
    NotWritable = 5, "not_writable", "an account that changes was passed read-only";
    WrongOwner = 6, "wrong_owner", "an account is not owned by the program it must be owned by";
    WrongAccountType = 7, "wrong_account_type", "an account is of another type or version";
    WrongAddress = 8, "wrong_address", "an account is not the one the network recorded";
    AlreadyInitialised = 9, "already_initialised", "the account exists already";
    DuplicateAccount = 10, "duplicate_account", "an account that changes was passed twice";
    WrongProgram = 11, "wrong_program", "a program account is not the program it must be";
    WrongMint = 12, "wrong_mint", "a mint or token account is of another coin";
    WrongTokenOwner = 13, "wrong_token_owner", "a token account belongs to somebody else";
    WrongSigner = 14, "wrong_signer", "the signer has no authority over this";
    VaultMismatch = 15, "vault_mismatch", "a vault does not hold what the books say";
    NotDirect = 16, "not_direct", "event records are written by the program alone";
    InsufficientFunds = 20, "insufficient_funds", "the token account holds less than the payment";
    TokenAccountFrozen = 21, "token_account_frozen", "the token account is frozen by the issuer of its coin";
    PlaceTaken = 22, "place_taken", "the place is not empty, or the key has one already";
    PayerWithoutFunds = 23, "payer_without_funds", "the payer holds fewer lamports than the new account's rent";
    WrongMintAuthority = 24, "wrong_mint_authority", "the network account is not the mint authority of the coin";
}
