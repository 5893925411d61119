//! The one definition of every printed figure.
